import diffusion

picture = "ui/samples/cat.jpg"
crop = None
seed = 0
model = "photos"
sigma = 1.3416407864998738

x0 = diffusion.load_picture(picture, size=64, crop=crop)
process = diffusion.Brownian(sigma_q=3)
path = list(diffusion.forward(x0, process, steps=20, rng=diffusion.picture_rng(seed)))
net = diffusion.load_denoiser(model)
x0_hat = net(path[4], sigma)

print((x0_hat - x0).square().mean().sqrt().item())
