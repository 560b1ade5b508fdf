"""What stands for the images of PHP: Debian's, with Apache set up as the image does it."""

import re
from pathlib import Path

from bench.image import Image

_VERSION = "8.4"
# What the image keeps to compile extensions with; whoever needs none of it takes it out again.
_COMPILERS = ("autoconf", "dpkg-dev", "file", "g++", "gcc", "libc-dev", "make", "pkg-config", "re2c")
_PHP = ("php-cli", "php-curl", "php-mbstring", "php-sqlite3", "php-xml")
_APACHE = ("apache2", "libapache2-mod-php")
_CONFIGURATION = "/etc/apache2/conf-available/docker-php.conf"
_FOREGROUND = "/usr/local/bin/apache2-foreground"
# Any user may start Apache, and .htaccess counts below the usual folder alone.
_SET_UP = f"""
printf '<Directory /var/www/>\\n\\tOptions -Indexes\\n\\tAllowOverride All\\n</Directory>\\n' >{_CONFIGURATION}
a2enconf -q docker-php
rm -f /var/www/html/index.html /var/log/apache2/*
chmod 1777 /var/log/apache2
cat >{_FOREGROUND} <<'END'
#!/bin/bash
set -e
. /etc/apache2/envvars
mkdir -p "$APACHE_RUN_DIR" "$APACHE_LOCK_DIR"
exec apache2 -DFOREGROUND "$@"
END
chmod 755 {_FOREGROUND}
mkdir -p /var/run/apache2 /var/lock/apache2
chmod 1777 /var/run/apache2 /var/lock/apache2
"""


def php(version: str, tag: str, _: Path) -> Image:
    """PHP with what compiles extensions, and Apache where the tag names it."""
    minor = (re.match(r"\d+\.\d+", version) or [""])[0]
    has_apache = "apache" in tag
    compilers = ("libc6-dev" if name == "libc-dev" else name for name in _COMPILERS)
    return Image(
        packages=(*_PHP, *compilers, *(_APACHE if has_apache else ())),
        variables=(("PHPIZE_DEPS", " ".join(_COMPILERS)),),
        finish=_SET_UP if has_apache else "",
        differs="PHP is Debian's" + ("" if minor == _VERSION else f" {_VERSION} instead of {version}"),
    )
