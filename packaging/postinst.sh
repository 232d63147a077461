#!/bin/sh
set -e
# The service is not started: what it listens on and where its state is are to be chosen first (/etc/licet/licet.env).
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart licet.service
fi
