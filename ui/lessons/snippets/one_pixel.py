import torch

import diffusion

picture = "ui/samples/cat.jpg"
crop = None
seed = 0
T = 100

x0 = diffusion.load_picture(picture, size=64, crop=crop)
rng = diffusion.picture_rng(seed)
x = x0
for _ in range(T):
    x = x + 0.5 * torch.randn(x.shape, generator=rng)  # 3.0 * T**-0.5 for the second rule

print((x - x0).square().mean().sqrt().item())
