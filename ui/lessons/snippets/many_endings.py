import diffusion

picture = "ui/samples/cat.jpg"
crop = None
seed = 0
model = "photos"

x0 = diffusion.load_picture(picture, size=64, crop=crop)
process, net = diffusion.Brownian(sigma_q=3), diffusion.load_denoiser(model)
path = list(diffusion.forward(x0, process, steps=20, rng=diffusion.picture_rng(seed)))
rng = [diffusion.picture_rng(seed, 100 + k) for k in range(16)]
times = diffusion.times_back(process, 10, "rho7", start=0.3)
*_, last = diffusion.reverse(net, path[6].expand(16, -1, -1, -1), process, rng=rng, times=times)

print(last.x_s.std(0, correction=0).square().mean().sqrt().item())
