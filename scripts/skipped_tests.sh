#!/bin/sh
# Sums up which tests were skipped: skipped_tests.sh LIST, which need not exist.
[ -e "$1" ] || { echo "no test was skipped"; exit 0; }
count=$(grep -c '' "$1")
wanting=$(grep -c 'shared/data' "$1")
echo "$count tests or parts of them were skipped, $wanting for want of ../shared/data:"
sort -u "$1"
