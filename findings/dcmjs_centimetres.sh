#!/usr/bin/env bash
# dcmjs, which writes the structured reports of OHIF and Cornerstone: the unit of a length of 3.3 cm.
# Guess: UCUM's cm. dcmjs knows mm, mm2 and cm2.
# Seen: (UCUM, [arb'U]{cm}, "arbitrary cm"). An arbitrary unit is one that cannot be converted to any other; {cm} is a
# comment to it. Cornerstone's cm of an ultrasound region ("cm US Region") become arbitrary units in the same way.
# Why it surprises: the code is valid UCUM, so no checker complains. A reader that follows UCUM must not convert it, and
# one that looks for "cm" in the text happens to be right.
set -euo pipefail
command -v node > /dev/null || { echo "node is not installed"; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund dcmjs@0.52.2 2> /dev/null
cat > units.cjs <<'JS'
const dcmjs = require('dcmjs');
console.warn = console.error = () => {};
dcmjs.log.setLevel('silent');
console.log('dcmjs', require('./node_modules/dcmjs/package.json').version);
const {Length} = dcmjs.utilities.TID300;
const codes = {};
for (const unit of ['mm', 'cm', 'cm US Region', 'cm2']) {
  const length = new Length({point1: {x: 10, y: 20}, point2: {x: 40, y: 60}, distance: 3.3, unit, ReferencedSOPSequence: {}});
  const num = length.contentItem().find((item) => item.ValueType === 'NUM');
  const coded = num.MeasuredValueSequence.MeasurementUnitsCodeSequence;
  codes[unit] = coded.CodeValue;
  console.log(`${unit}: ${coded.CodeValue} (${coded.CodingSchemeDesignator}, ${coded.CodeMeaning})`);
}
if (codes.mm !== 'mm' || codes.cm2 !== 'cm2' || codes.cm !== "[arb'U]{cm}") {
  console.log('changed');
  process.exit(1);
}
JS
node units.cjs
