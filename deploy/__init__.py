"""What runs beside the app where one machine is outgrown; see docs/deploy.md."""
