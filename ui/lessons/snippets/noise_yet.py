import torch
from torch.nn.functional import avg_pool2d

import diffusion

picture = "ui/samples/cat.jpg"
crop = None
seed = 0
block = 8

x0 = diffusion.load_picture(picture, size=64, crop=crop)
process = diffusion.Brownian(sigma_q=3)
*_, x_T = diffusion.forward(x0, process, steps=20, rng=diffusion.picture_rng(seed))
pair = torch.stack([avg_pool2d(x, block).flatten() for x in (x0, x_T)])

print(torch.corrcoef(pair)[0, 1].nan_to_num().item())
