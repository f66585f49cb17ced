"""Every longer text of the app, in one place."""

SUBTITLE = "Watch a picture drown in noise, then let a small network walk it back, step by step."

UPLOAD_HELP = (
    "PNG, JPEG, WebP, GIF, BMP or TIFF, up to 25 MB. It stays in this session's memory and nowhere else."
)

PROCESSES = {
    "brownian": "Brownian (the tutorial's)",
    "ddpm_linear": "DDPM, linear",
    "ddpm_cosine": "DDPM, cosine",
    "straight_line": "Straight line (rectified flow)",
}
PROCESS_NOTES = {
    "brownian": "Each step adds fresh noise: $x_{t+\\Delta t} = x_t + \\eta$ with $\\eta \\sim \\mathcal "
    "N(0, \\sigma_q^2\\,\\Delta t)$. The picture itself is never dimmed, so the variance only grows: it "
    "*explodes*. The variances of the steps add up to $\\sigma_q^2$, however many steps you take.",
    "ddpm_linear": "Each step dims the picture a little and adds a little noise, so that, picture by "
    "picture, the variance tends to 1: $x_t = \\sqrt{\\bar\\alpha_t}\\,x_0 + "
    "\\sqrt{1-\\bar\\alpha_t}\\,\\varepsilon$. The schedule is the one of Ho and others.",
    "ddpm_cosine": "Like DDPM linear, the picture is dimmed while noise is added, but more gently at both "
    "ends (Nichol and Dhariwal).",
    "straight_line": "Here $x_t = (1-t)\\,x_0 + t\\,\\varepsilon$ with **one** noise picture for the "
    "whole way: a straight line from picture to noise. It is no chain of independent steps.",
}
GRIDS = {
    "uniform_t": "equal steps in t",
    "uniform_ln_sigma": "equal steps in ln σ",
    "rho7": "ρ = 7 (dense at little noise)",
}
SAMPLERS = {
    "algorithm1": "Algorithm 1, to the letter",
    "algorithm1_clean_end": "Algorithm 1, clean end",
    "posterior": "Posterior",
    "ddim": "DDIM (no fresh noise)",
    "dpmpp_2m": "DPM-Solver++ 2M (no fresh noise)",
    "heun": "Heun (no fresh noise, asks twice)",
}
SAMPLER_NOTES = {
    "algorithm1": "Every step puts back as much noise as the forward step had added, **the last step "
    "too**. So the result keeps that last noise: with few equal steps you see it as grain.",
    "algorithm1_clean_end": "Like Algorithm 1, but the last step adds nothing, so no grain is left on top.",
    "posterior": "Adds just the noise that would be left if the network's guess were the true picture; at "
    "the last step that is none.",
    "ddim": "Adds no noise at all. It is not Algorithm 1 with the noise left out: its mean moves less "
    "far, to make up for it.",
    "dpmpp_2m": "No fresh noise, and it uses the last two guesses to see which way they are drifting.",
    "heun": "No fresh noise. It looks twice at each step, before and after, and takes the middle.",
}
STARTS = {"here": "at the thumb", "noise": "in pure noise", "inversion": "by inversion"}
START_NOTES = {
    "here": "Starts at the frame under the thumb. The less noise on it, the less is left for the network "
    "to make up; what it makes up comes from the pictures it has learnt.",
    "noise": "Starts from fresh noise that has never seen your picture, so nothing of your picture can "
    "come back: the network makes something new out of what it has learnt.",
    "inversion": "First climbs the noise-free path upwards from your picture, in many steps, then walks "
    "it down again. This alone is meant to return your picture; how near it comes depends on the network, "
    "the picture and the number of steps, and is measured at the end.",
}
ALWAYS_HEUN = "It walks with Heun's steps, whichever sampler is set: fresh noise would lose the path."

PRESETS = {"watch": "Watch", "gentle": "Gentle", "tutorial": "Tutorial", "from_nothing": "From nothing"}
PRESET_NOTES = {
    "gentle": "σ_q = 0.5: moderate noise, of the kind a photo denoiser is made for.",
    "watch": "σ_q = 3 in 100 small steps: easy to see.",
    "tutorial": "The tutorial's ten equal steps and its Algorithm 1, to the letter.",
    "from_nothing": "σ_q = 80, far above the picture's own spread, and the way back starts from fresh "
    "noise. The digits network makes the clearest pictures this way.",
}
MODELS = {
    "dogs": "Dogs: has seen only heads of dogs, 64×64. Pulls whatever it gets towards those.",
    "photos": "Photos: has seen photos of cats and dogs. Takes moderate noise out; cannot invent what is "
    "gone.",
    "digits": "Digits: has seen only handwritten digits, 28×28, grey. Quick.",
}
VIEWS = {"clipped": "Clipped to [-1, 1]", "spread": "Scaled to its own spread"}
VIEW_HELP = (
    "A screen shows values from -1 (black) to 1 (white). *Clipped* cuts off what lies outside, so strong "
    "noise looks like speckle. *Scaled* shrinks each frame's own spread into that range: you see more of "
    "the noise, and the picture under it fades. Only the showing changes, never the numbers."
)

STAGE = {
    "where_there": "The way there · step {step} of {total}",
    "where_back": "The way back · step {step} of {total}",
    "t": "time t",
    "sigma": "noise spread σ_t",
    "snr": "signal to noise",
    "measured_there": "noise variance, measured",
    "measured_back": "noise variance, by the network",
    "upload": "x_0, your picture",
    "picture": "The picture x_t",
    "timeline": "Timeline: the way there, then the way back",
    "end_left": "x_0, t = 0",
    "end_middle": "x_T, t = 1",
    "end_right": "back at t = 0",
    "play": "Play",
    "pause": "Pause",
    "home": "To the beginning",
    "end": "To the end",
    "step_on": "One step on",
    "step_back": "One step back",
    "speed": "Speed",
    "smooth": "Smooth pixels",
}

THERE = (
    "Noise is *added*, pixel by pixel; nothing is blurred. The frames are one path, and the seed decides "
    "every bit of it. The curve above the thumb is the variance $\\sigma_t^2$ of all the noise so far."
)

IS_IT_NOISE = (
    "Is $x_T$ pure noise? Pixel by pixel, its correlation with your picture is **{correlation:.3f}**; "
    "chance alone gives up to about {chance:.3f} either way. {verdict} The mean brightness of your "
    "picture is {brightness:.3f} and that of $x_T$ is {brightness_T:.3f}: a mean over many pixels is what "
    "noise hides last."
)
STILL_THERE = "So the frame still holds some of your picture."
NOT_SEEN = "So no single pixel gives your picture away."

BACK = (
    "The network sees $x_t$ and is asked one thing: what is the clean picture, on average over all "
    "pictures that could have led here? That guess is $\\hat x_0$. An average of many is blurry, and that "
    "is right. A step goes a part of the way towards it; some samplers then add a little fresh noise."
)

ARRIVED = (
    "Arrived. The result is **{distance:.3g}** away from your picture (root mean square; black is -1, "
    "white is 1)."
)
PICKED = "Nothing was asked for, so the seed picked a class: **{name}**."
ARRIVED_INVERSION = "That is the error of the inversion, {up} steps up and {down} down."
APART = "This is the tutorial's own formula with this step's numbers. Point at a pixel to follow it through."

WAITING = "Others are computing. You are number {place} of {total} in the line."
BUSY = "Too many people are computing just now. Please try again in a minute; nothing of yours is lost."

ESTIMATE = "That is up to {looks} looks at the network, about {seconds:.0f} s on this machine."
TOO_MUCH = (
    "{steps} steps at {side}×{side} would hold the machine up for too long. Take at most {most} steps, or a "
    "smaller stage."
)

DISTANCE_EMPTY = "Walk back first: this plot follows the way back."
APART_EMPTY = "Walk back first: then any step of the way can be taken apart here."

APART_LABELS = {
    "x_t": "before the step",
    "x0_hat": "the network's guess at the clean picture",
    "removed": "taken away",
    "noise": "fresh noise, added",
    "x_s": "after the step",
}

FIGURES = {
    "variance": (
        "Noise variance",
        "The line is theory; every dot is measured on a frame you can see. They differ a little because a "
        "picture has a limited number of pixels.",
    ),
    "added": (
        "Variance added per step",
        "On the way there each step adds its share. On the way back, Algorithm 1 puts the same share back "
        "in; the posterior adds less, and nothing at the last step.",
    ),
    "snr": (
        "Signal to noise",
        "α²/σ², how strong the picture stands against the noise, for a picture of spread 1. The scale is "
        "logarithmic; at t = 0 the ratio is infinite.",
    ),
    "histogram": (
        "Pixel values",
        "How the pixel values of this frame are spread, against the bell curve of the noise alone. With "
        "enough noise the two agree.",
    ),
    "distance": (
        "Distance to your picture",
        "How far the frame and the network's guess are from your picture. It is a distance to *your "
        "upload*, not a mark: a fine dog made from noise is far from it.",
    ),
}
LINK_ODD = "The link says {name} = {given}, which cannot be ({allowed}). The usual value is used."
LINK_UPLOAD = (
    "This link was made with a picture that somebody had uploaded. A link never carries a picture: please "
    "upload it again. Until then a sample stands in for it."
)
NO_MODELS = "No networks were found in pretrained/. The way there works; the way back needs one."
LOSS_BY_NOISE = (
    "How wrong the network is at each noise level, on pictures it trained on and on pictures it never "
    "saw. Where the two part, it has begun to remember. At much noise nobody could do better than guess "
    "the average picture."
)
