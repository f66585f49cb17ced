"""Every longer text of the app, in one place; marked here, translated where it is shown."""

from ui.language import N_

SUBTITLE = N_("Watch a picture drown in noise, then let a small network walk it back, step by step.")

UPLOAD_HELP = N_("PNG, JPEG, WebP, GIF, BMP or TIFF, up to {most} MB.")
KEPT_HERE = N_("It stays in this session's memory and nowhere else.")
KEPT_SHARED = N_(
    "It stays in this session's memory; what a network is asked about it goes to the service that "
    "computes for this server, which keeps nothing."
)

NO_CAMERA = N_(
    "This page came over plain http, where browsers keep the camera shut. Upload a picture instead: on a "
    "phone, the upload button offers its camera."
)

PROCESSES = {
    "brownian": N_("Brownian (the tutorial's)"),
    "ddpm_linear": N_("DDPM, linear"),
    "ddpm_cosine": N_("DDPM, cosine"),
    "straight_line": N_("Straight line (rectified flow)"),
}
PROCESS_NOTES = {
    "brownian": N_(
        "Each step adds fresh noise: $x_{t+\\Delta t} = x_t + \\eta$ with $\\eta \\sim \\mathcal "
        "N(0, \\sigma_q^2\\,\\Delta t)$. The picture itself never fades, so the variance only grows: it "
        "*explodes*. The variances of the steps add up to $\\sigma_q^2$, however many steps you take."
    ),
    "ddpm_linear": N_(
        "Each step fades the picture a little towards mid-grey and adds a little noise, so that in the "
        "end the pixel values have spread 1, whatever the picture: $x_t = \\sqrt{\\bar\\alpha_t}\\,x_0 + "
        "\\sqrt{1-\\bar\\alpha_t}\\,\\varepsilon$, where $\\bar\\alpha_t$ falls from 1 to nearly 0 and "
        "$\\varepsilon$ is noise of spread 1. The schedule is the one of Ho and others."
    ),
    "ddpm_cosine": N_(
        "Like DDPM linear, the picture fades while noise is added, but more gently at both "
        "ends (Nichol and Dhariwal)."
    ),
    "straight_line": N_(
        "Here $x_t = (1-t)\\,x_0 + t\\,\\varepsilon$ with **one** noise picture $\\varepsilon$ of spread "
        "1 for the whole way: a straight line from picture to noise. It is no chain of independent steps."
    ),
}
GRIDS = {
    "uniform_t": N_("equal steps in t"),
    "uniform_ln_sigma": N_("equal steps in ln σ"),
    "rho7": N_("dense at little noise (EDM, ρ = 7)"),
    "rho16_short": N_("nearly equal in ln σ, ending early"),
}
SAMPLERS = {
    "algorithm1": N_("Algorithm 1, to the letter"),
    "algorithm1_clean_end": N_("Algorithm 1, clean end"),
    "posterior": N_("Posterior"),
    "ddim": N_("DDIM (no fresh noise)"),
    "dpmpp_2m": N_("DPM-Solver++ 2M (no fresh noise)"),
    "heun": N_("Heun (no fresh noise, asks twice)"),
}
SAMPLER_NOTES = {
    "algorithm1": N_(
        "Every step puts back as much noise as the way there adds over the same stretch of t, **the last "
        "step too**. So the result keeps that last noise: with few equal steps you see it as grain."
    ),
    "algorithm1_clean_end": N_(
        "Like Algorithm 1, but the last step adds nothing, so no grain is left on top."
    ),
    "posterior": N_(
        "Takes the network's guess for the true picture, and adds as much noise as would still be in doubt "
        "after this step; at the last step, none."
    ),
    "ddim": N_(
        "Adds no noise at all. It is not Algorithm 1 with the noise left out: its mean moves less "
        "far, to make up for it."
    ),
    "dpmpp_2m": N_("No fresh noise, and it uses the last two guesses to see which way they are drifting."),
    "heun": N_(
        "No fresh noise. It looks twice at each step, before and after, and goes in the mean of both "
        "directions; only once at the last step, and where there is more noise than the network knows."
    ),
}
STARTS = {"here": N_("at the thumb"), "noise": N_("in pure noise"), "inversion": N_("by inversion")}
START_NOTES = {
    "here": N_(
        "Starts at the frame under the thumb. The less noise on it, the less is left for the network "
        "to make up; what it makes up comes from the pictures it has learnt."
    ),
    "noise": N_(
        "Starts from fresh noise that has never seen your picture, so nothing of your picture can "
        "come back: the network makes something new out of what it has learnt."
    ),
    "inversion": N_(
        "First climbs from your picture up to its x_T, in many steps and without any fresh noise, then "
        "walks the same path down again. This alone is meant to return your picture; how near it comes "
        "depends on the network, the picture and the number of steps, and is measured at the end."
    ),
}
ALWAYS_HEUN = N_("It walks with Heun's steps, whichever sampler is set: fresh noise would lose the path.")

PRESETS = {
    "watch": N_("Watch"),
    "gentle": N_("Gentle"),
    "tutorial": N_("Tutorial"),
    "from_nothing": N_("From nothing"),
}
PRESET_NOTES = {
    "gentle": N_("σ_q = 0.5: moderate noise, of the kind a photo denoiser is made for."),
    "watch": N_("σ_q = 3 in 100 small steps: easy to see."),
    "tutorial": N_(
        "Ten equal steps as in the tutorial, and back with Algorithm 1 of the paper it retells, to "
        "the letter."
    ),
    "from_nothing": N_(
        "σ_q = 80, far above the picture's own spread, and the way back starts from fresh "
        "noise. The digits network makes the clearest pictures this way."
    ),
}
MODELS = {
    "dogs": N_("Dogs: has seen only heads of dogs, 64×64. Pulls whatever it gets towards those."),
    "photos": N_(
        "Photos: has seen photos of cats and dogs. Takes moderate noise out; cannot invent what is gone."
    ),
    "digits": N_("Digits: has seen only handwritten digits, 28×28, grey. Quick."),
}
VIEWS = {"clipped": N_("Clipped to [-1, 1]"), "spread": N_("Scaled to its own spread")}
VIEW_HELP = N_(
    "A screen shows values from -1 (black) to 1 (white). *Clipped* cuts off what lies outside, so strong "
    "noise looks like speckle. *Scaled* shrinks each frame's own spread into that range: you see more of "
    "the noise, and the picture under it fades. Only the showing changes, never the numbers."
)

STAGE = {
    "where_there": N_("The way there · step {step} of {total}"),
    "where_back": N_("The way back · step {step} of {total}"),
    "t": N_("time t"),
    "sigma": N_("noise spread σ_t"),
    "snr": N_("signal to noise"),
    "measured_there": N_("noise variance, measured"),
    "measured_back": N_("noise variance, by the network"),
    "upload": N_("x_0, your picture"),
    "picture": N_("The picture x_t"),
    "timeline": N_("Timeline: the way there, then the way back"),
    "timeline_there": N_("Timeline: the way there"),
    "end_left": N_("x_0, t = 0"),
    "end_middle": N_("x_T, t = 1"),
    "end_right": N_("back at t = 0"),
    "play": N_("Play"),
    "pause": N_("Pause"),
    "home": N_("To the beginning"),
    "end": N_("To the end"),
    "step_on": N_("One step on"),
    "step_back": N_("One step back"),
    "speed": N_("Speed"),
    "smooth": N_("Smooth pixels"),
}

THERE = N_(
    "Noise is *added*, pixel by pixel; nothing is blurred. The frames are one path, and the seed decides "
    "every bit of it. The curve above the thumb is the variance $\\sigma_t^2$ of all the noise so far."
)

IS_IT_NOISE = N_(
    "Is $x_T$ pure noise? Pixel by pixel, its correlation with your picture is **{correlation:.3f}**; "
    "chance alone gives up to about {chance:.3f} either way. {verdict} The mean brightness of your "
    "picture is {brightness:.3f} and that of $x_T$ is {brightness_T:.3f}: a mean over many pixels is what "
    "noise hides last."
)
STILL_THERE = N_("So the frame still holds some of your picture.")
NOT_SEEN = N_("So no single pixel gives your picture away.")

BACK = N_(
    "The network sees $x_t$ and is asked one thing: what is the clean picture, on average over all "
    "pictures that could have led here? That guess is $\\hat x_0$. An average of many is blurry, and that "
    "is right. A step goes a part of the way towards it; some samplers then add a little fresh noise."
)

ARRIVED = N_(
    "Arrived. The result is **{distance:.3g}** away from your picture (root mean square; black is -1, "
    "white is 1)."
)
PICKED = N_("Nothing was asked for, so the seed picked a class: **{name}**.")
ARRIVED_INVERSION = N_("That is the error of the inversion, {up} steps up and {down} down.")
APART_STEP = N_(
    "Step {step} of {total}, {sampler}: from t = {t} (σ_t = {sigma_t}) to t = {s} (σ_t = {sigma_s})."
)
APART = N_(
    "This is the tutorial's own formula with this step's numbers. Its t counts steps: $x_{{t-1}}$ is the "
    "picture one step on, here at t = {s}. Point at a pixel to follow it through."
)

WAITING = N_("Others are computing. You are number {place} of {total} in the line.")
BUSY = N_("Too many people are computing just now. Please try again in a minute; nothing of yours is lost.")

ESTIMATE = N_("The network is asked up to {looks} times, about {seconds:.0f} s on this machine.")
TOO_MUCH = N_(
    "{steps} steps at {side}×{side} would hold the machine up for too long. Take at most {most} steps, or a "
    "smaller stage."
)

DISTANCE_EMPTY = N_("Walk back first: this plot follows the way back.")
APART_EMPTY = N_("Walk back first: then any step of the way can be taken apart here.")

FIGURES = {
    "variance": (
        N_("Noise variance"),
        N_(
            "The line is theory; every dot is measured on a frame you can see. They differ a little "
            "because a picture has a limited number of pixels. On the way back the network's guess stands "
            "in for your picture, so its errors, and those of the steps, show as well."
        ),
    ),
    "added": (
        N_("Variance added per step"),
        N_(
            "On the way there each step adds its share. On the way back, Algorithm 1 puts in as much as the "
            "way there adds over that stretch of t: fewer, longer steps add more each. The posterior adds "
            "less, and nothing at the last step."
        ),
    ),
    "snr": (
        N_("Signal to noise"),
        N_(
            "α²/σ², how strong the picture stands against the noise, for a picture of spread 1; α is the "
            "share of your picture that is left, 1 throughout for Brownian. The scale is logarithmic; at "
            "t = 0 the ratio is infinite."
        ),
    ),
    "histogram": (
        N_("Pixel values"),
        N_(
            "How the pixel values of this frame are spread, against the bell curve of the noise alone. With "
            "enough noise the two agree."
        ),
    ),
    "distance": (
        N_("Distance to your picture"),
        N_(
            "How far the frame and the network's guess are from your picture: the root mean square, that "
            "is, take the difference at every pixel, square it, average, take the root. It is a distance "
            "to *your upload*, not a mark: a fine dog made from noise is far from it."
        ),
    ),
}
ENDINGS_SUBTITLE = N_("One start, many ways back: each fills in anew what the noise has hidden.")
ENDINGS_START = N_(
    "All ways begin at the frame under the thumb; the fresh noise of their steps alone differs."
)
ENDINGS_SAME = N_(
    "This sampler adds no fresh noise: from one start there is only one way back, and all endings are the "
    "same. Choose *Posterior* to see them differ."
)
ENDINGS_TOO_MUCH = N_(
    "{count} ways of {steps} steps at {side}×{side} would hold the machine up for too long. Take at most "
    "{most} steps, fewer endings, or a smaller stage."
)
ENDINGS_LEGEND = N_(
    "The number under a picture is its distance to yours (root mean square; black is -1, white is 1); under "
    "the spread, its own size. Choose a picture to see it large beside yours."
)
ENDING_SPOKEN = N_("Ending {k} of {count}: {distance:.3f} away from your picture.")
ENDING_COMING = N_("Not walked yet: the start x_t at t = {t}.")
TOGETHER = {"guess": N_("one look, x̂_0"), "mean": N_("mean of {count}"), "spread": N_("spread")}
TOGETHER_SPOKEN = {
    "guess": N_(
        "x̂_0, what the network guesses in one look at the start: {number:.3f} away from your picture."
    ),
    "mean": N_("The mean of {count} endings: {number:.3f} away from your picture."),
    "spread": N_(
        "The spread of {count} endings, pixel by pixel: bright where they differ. White stands for a "
        "standard deviation of {top:.3f}; over all pixels it is {number:.3f} (root mean square)."
    ),
}
FAN = {
    "endings": N_("Endings"),
    "together": N_("What the endings have together"),
    "before": N_("The one before"),
    "after": N_("The one after"),
    "close": N_("Close"),
}
NARROWING = (
    N_("How the endings draw together"),
    N_(
        "Each point is a start you have tried with these settings. The less noise there is at the start, the "
        "less is left to be made up."
    ),
)
NARROWING_EMPTY = N_("Walk back first: each start you try becomes a point of this plot.")
ENDINGS = N_(
    "A noisy frame does not tell which picture it came from: many could have led there. Each way back is one "
    "draw from those that the network holds possible. What all endings share, the frame still told; where "
    "they differ, it was made up."
)
ENDINGS_ONE = N_(
    "All {count} endings are the same picture: without fresh noise the start decides everything."
)
MEAN_NEARER = N_(
    "Two endings are **{apart:.3f}** apart on average. Their mean is **{mean:.3f}** away from your picture, "
    "nearer than {nearer} of the {count} endings: what each makes up on its own cancels out."
)
MEAN_FARTHER = N_(
    "Two endings are **{apart:.3f}** apart on average. Their mean is **{mean:.3f}** away from your picture, "
    "nearer than {nearer} of the {count} endings."
)
PYTHAGORAS = N_(
    "Squared, distances add up: {all:.3f}² = {mean:.3f}² + {spread:.3f}². That is from your picture to the "
    "endings (root mean square), to their mean, and from there to the endings."
)
PUSHED = N_(
    "Asked for a class, the network pushes its guess $\\hat x_0$ further towards it: it is then no longer "
    "the average of all pictures that could have led here."
)
MEAN_AND_GUESS = N_(
    "The network's one look $\\hat x_0$ is meant to be the mean over all endings. From the mean of these "
    "{count} it is {gap:.3f} away; chance alone would leave about {chance:.3f}. Squares add up here too, "
    "so about {rest:.3f} is left for the error of the network and of the steps."
)
COMPARE_SUBTITLE = N_("Two journeys with the same picture, moved by one thumb.")
COMPARE_HELP = N_(
    "A is the journey, with the settings at the side. B shares all of them but those you choose here."
)
COMPARED = {
    "model": N_("network"),
    "process": N_("process"),
    "sigma_q": N_("σ_q"),
    "steps": N_("steps there"),
    "grid": N_("spacing there"),
    "seed": N_("seed"),
    "sampler": N_("sampler"),
    "back_steps": N_("steps back"),
    "back_grid": N_("spacing back"),
}
COMPARE_SAME = N_("Nothing differs yet, so both journeys are the same to the last bit.")
COMPARE_TOO_MUCH = N_(
    "This way back would hold the machine up for too long; take fewer steps or a smaller stage."
)
DOWNLOAD = N_(
    "The download holds x_0, the square of your picture at the network's size: its script needs it. Nothing "
    "else of the file is in it, and none of its metadata."
)
DOWNLOAD_HELP = N_(
    "One zip: every frame that stands on the stage, a strip of them, a moving picture, all settings, and a "
    "script that makes the same frames again: on this machine, bit for bit."
)
LOCKED = N_("Your teacher's link has locked everything marked with a lock.")
UNLOCK_HELP = N_(
    "Set everything yourself; what stands on the page stays. A new look at the link locks it again."
)
LOCKING = N_(
    "Tick what your class is to leave alone, and copy the link: whoever opens it finds the page as it stands "
    "now, with a lock on those. An uploaded picture is in no link, so it cannot be locked."
)
LINK_ODD = N_("The link says {name} = {given}, but only {allowed} will do. The usual value is used.")
LINK_UPLOAD = N_(
    "This link was made with a picture that somebody had uploaded. A link never carries a picture: please "
    "upload it again. Until then a sample stands in for it."
)
NETWORKS = N_("What the networks are, and what they are not")
NO_MODELS = N_("No networks were found in pretrained/. The way there works; the way back needs one.")
LOSS_BY_NOISE = N_(
    "The squared error of x̂_0 over what would be left if one only faded the noisy picture towards "
    "mid-grey: 0 is perfect, 1 no better than that, for pictures that lie around mid-grey. (Digits are "
    "mostly black, so for them fading leaves more than 1 where there is much noise.) Where pictures it "
    "never saw do clearly worse than those it trained on, at noise levels that still show the picture, it "
    "has begun to remember. At the greatest noise the lines part by chance: each is measured on few "
    "pictures, and nobody can do better there than guess the average. How far off x̂_0 itself is (rms) "
    "stands in the table."
)

GALLERY = N_("Sixty-four pictures from nothing but noise")
GALLERY_ABOUT = N_(
    "Each begins in noise of its own, which the seed decides, and the network walks it back. Nobody "
    "chose among them. Pick one to look closer."
)
GRID_HELP = N_(
    "Where the steps are taken. *Equal steps in t*: each covers the same stretch of t. *Equal steps in ln "
    "σ*: each changes the noise by the same factor. *Dense at little noise*: most steps where details "
    "appear, as Karras and others do (EDM); ρ = 7 says how dense. *Ending early*: nearly equal steps in ln "
    "σ; the last look is taken while there is still some noise to see."
)
GALLERY_EMPTY = N_("Pick a picture: then you can open it on the stage, and ask whether it is new.")
GALLERY_NO_MODELS = N_("No network that makes pictures from pure noise was found in pretrained/.")
GALLERY_MADE = N_(
    "All {count} are made, each in {steps} steps, for which the network was asked {looks} times."
)
GALLERY_MAKING = N_("{made} of {count} made")
GALLERY_STOPPED = N_("Stopped after {made} of {count}.")
GALLERY_COMMAND = N_(
    "The command line makes the same picture, as `{file}`. Here four walk side by side, which may round a "
    "pixel to the next of 256 grey levels."
)
#: By figure of the card: what an independent judge says of pictures from noise.
FROM_NOISE = {
    "dog rate, 10 evaluations": N_(
        "What to expect: of {count} pictures from noise, the network asked at most ten times for each, an "
        "independent judge took **{rate:.0%}** for a dog; of real photos of dogs, {real:.0%}."
    ),
    "samples sure of some digit, 10 evaluations": N_(
        "What to expect: of {count} pictures from noise, the network asked at most ten times for each, an "
        "independent reader was sure of the digit in **{rate:.0%}**; of real handwritten digits, in "
        "{real:.0%}."
    ),
}
WEAK_NOISE = N_(
    "**Noise of spread {ratio:.3g} beside the picture (σ/α) is too weak a start.** A real picture under "
    "so much noise still keeps its coarse shapes; pure noise has none, so the network finds no picture in "
    "it, and what comes is grey or muddled. The preset *{preset}* starts at {most:g}."
)
OTHER_WAY = N_(
    "How good pictures from noise come out was measured with {sampler}, steps {grid}, the network asked at "
    "most ten times (see *Networks*). This walk was made otherwise, so those figures do not hold for it."
)
FROM_NOISE_MET = N_("That is what was aimed for ({target:.0%}).")
FROM_NOISE_SHORT = N_("The aim was {target:.0%}: this network has not learnt enough yet, and it shows.")
FROM_NOISE_EARLIER = N_("This was measured before the network, or how it is asked, was changed.")

MEMORY = N_("New, or remembered?")
MEMORY_COPY = N_(
    "**This may be a copy.** One training picture stands out as near, more than for any of the {held_out} "
    "pictures that were kept from the network and that it cannot have remembered."
)
MEMORY_NEAR = N_(
    "**Suspiciously near.** One training picture stands out as near, as for only {share:.1%} of the "
    "{held_out} pictures that were kept from the network. By chance alone, one new picture in twenty gets "
    "this answer."
)
MEMORY_NEW = N_(
    "**New, as far as this can tell.** No training picture stands out as near: of {held_out} pictures that "
    "were kept from the network, {share:.0%} have one that stands out as much or more."
)
MEMORY_HOW = N_(
    "The nearest of {pictures} training pictures is {standing:.2f} times as far away as the 50 nearest are "
    "on average. A copy would be near 0; where none stands out, it is near 1. Compared are {numbers} numbers "
    "of each picture, which give a copy away but not the picture itself."
)
MEMORY_NO_INDEX = N_("This network comes without an index of its training pictures, so this cannot be told.")
MEMORY_NEAREST = N_("The nearest training pictures, nearest first")
MEMORY_NOT_SHOWN = N_(
    "The nearest training pictures themselves are not shown: they belong to others and do not come with "
    "the app. Whoever runs this server and has the data set can name its folder in THERE_AND_BACK_DATA."
)
