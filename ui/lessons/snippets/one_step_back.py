import diffusion

picture = "ui/samples/cat.jpg"
crop = None
seed = 0
model = "photos"

x0 = diffusion.load_picture(picture, size=64, crop=crop)
process = diffusion.Brownian(sigma_q=1)
x_t = list(diffusion.forward(x0, process, steps=10, rng=diffusion.picture_rng(seed)))[5]
x0_hat = diffusion.load_denoiser(model)(x_t, process.sigma(0.5))
f = 0.1 / 0.5 * (x_t - x0_hat)

print(f[0, 0, 32, 32].item())
