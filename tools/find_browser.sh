#!/bin/sh
# Make sure there is a Chromium for the browser tests: one that is installed, else Debian's where we
# are root, else Playwright's own.
set -eu
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if "$name" --version >/dev/null 2>&1; then exit 0; fi  # some are there only to say that they are not
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
else
    "${PYTHON:-python3}" -m playwright install chromium
fi
