import torch

import diffusion

picture = "ui/samples/cat.jpg"
crop = None
seed = 0

grey = diffusion.load_picture(picture, size=64, crop=crop)[0].mean(0)
pairs = torch.stack([grey[:, :-6].flatten(), grey[:, 6:].flatten()], dim=1)
points = pairs[torch.randperm(len(pairs), generator=diffusion.picture_rng(seed, 4))[:200]]
rng = diffusion.picture_rng(seed, 7)
clean = points[torch.randint(len(points), (2000,), generator=rng)]
noisy = clean + 0.3 * torch.randn(2000, 2, generator=rng)
weights = torch.softmax(-(torch.cdist(noisy, points) ** 2) / (2 * 0.3**2), dim=1)

print((weights @ points - clean).square().mean().item())
