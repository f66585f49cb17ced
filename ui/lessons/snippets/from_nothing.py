import diffusion
from diffusion.generate import picked_class
from diffusion.noise import standard_normal

picture = "ui/samples/cat.jpg"
crop = None
seed = 0
model = "dogs"

net = diffusion.load_denoiser(model)
if net.classes:
    net = net.asked_for(picked_class(net.classes, seed, 1))
process = diffusion.Brownian(sigma_q=80)
x0 = diffusion.load_picture(picture, size=net.size, channels=net.channels, crop=crop)
x_T = 80 * standard_normal(x0, diffusion.picture_rng(seed, 1))
*_, last = diffusion.reverse(net, x_T, process, steps=10, sampler="dpmpp_2m", grid="rho16_short")

print((last.x_s - x0).square().mean().sqrt().item())
