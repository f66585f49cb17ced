import diffusion

picture = "ui/samples/cat.jpg"
crop = None
seed = 0
model = "photos"

x0 = diffusion.load_picture(picture, size=64, crop=crop)
process = diffusion.Brownian(sigma_q=1)
*_, x_T = diffusion.forward(x0, process, steps=10, rng=diffusion.picture_rng(seed))
net, rng = diffusion.load_denoiser(model), diffusion.picture_rng(seed, 2)
*_, last = diffusion.reverse(net, x_T, process, steps=10, sampler="algorithm1", rng=rng)

print(last.noise.square().mean().sqrt().item())
