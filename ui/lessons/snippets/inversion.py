import diffusion

picture = "ui/samples/cat.jpg"
crop = None
seed = 0  # decides nothing here: no noise is drawn
model = "photos"

x0 = diffusion.load_picture(picture, size=64, crop=crop)
process, net = diffusion.Brownian(sigma_q=3), diffusion.load_denoiser(model)
x_T = diffusion.invert(net, x0, process, steps=25)
times = diffusion.times_of_inversion(process, 25)[::-1]
*_, last = diffusion.reverse(net, x_T, process, sampler="heun", times=times)

print((last.x_s - x0).square().mean().sqrt().item())
