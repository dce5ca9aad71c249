mkdir -p pkg/DEBIAN pkg/usr/bin pkg/etc
printf 'Package: demo\nVersion: 1\nArchitecture: all\nMaintainer: m <m@example.org>\nDescription: d\n' >pkg/DEBIAN/control
printf '/etc/demo.conf\n' >pkg/DEBIAN/conffiles && echo c=1 >pkg/etc/demo.conf
printf '#!/bin/sh\nset -e\nadduser --version >/dev/null 2>&1 || true\necho configured >/etc/demo.done\nldconfig\n' >pkg/DEBIAN/postinst
printf '#!/bin/sh\necho demo runs\n' >pkg/usr/bin/demo && chmod 755 pkg/usr/bin/demo
