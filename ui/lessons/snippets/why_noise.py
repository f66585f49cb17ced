import diffusion

picture = "ui/samples/cat.jpg"
crop = None
seed = 0

s = float(diffusion.load_picture(picture, size=64, crop=crop).std(correction=0))
spread, T = (s**2 + 1) ** 0.5, 100  # sigma_q = 1
for k in range(T, 0, -1):
    t = k / T
    share = t / (s**2 + t)  # of x_t, what the exact denoiser takes for noise
    spread = spread * (1 - (1 / k) * share)  # towards x0_hat by dt/t = 1/k, and nothing added

print(spread)
