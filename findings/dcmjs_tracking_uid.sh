#!/usr/bin/env bash
# dcmjs, which writes the structured reports of OHIF and Cornerstone: one annotation, saved twice. Is it tracked?
# Guess: its Tracking Unique Identifier (DCM 112040) is that of the annotation, and the same in both reports.
# Seen: a new UID at every save. The Tracking Identifier (DCM 112039) is the tool's name, the same for all its annotations.
# Why it surprises: PS3.16 has the pair to follow one finding over reports and time. Here nothing in the second report
# tells a corrected length from another lesion's.
set -euo pipefail
command -v node > /dev/null || { echo "node is not installed"; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund dcmjs@0.52.2 2> /dev/null
cat > save.cjs <<'JS'
const dcmjs = require('dcmjs');
console.log('dcmjs', require('./node_modules/dcmjs/package.json').version);
const {Length} = dcmjs.utilities.TID300;
const annotation = {point1: {x: 10, y: 20}, point2: {x: 40, y: 60}, distance: 33, ReferencedSOPSequence: {},
  trackingIdentifierTextValue: 'Cornerstone3DTools@^0.1.0:Length', trackingUniqueIdentifier: '2.25.4711',
  annotationUID: '2.25.4711', UID: '2.25.4711'};
const measurement = new Length(annotation);
const found = [1, 2].map(() => {
  const items = measurement.contentItem();
  const of = (value) => items.find((item) => [item.ConceptNameCodeSequence].flat()[0].CodeValue === value);
  const saved = {identifier: of('112039').TextValue, uid: of('112040').UID};
  console.log(saved.identifier, saved.uid);
  return saved;
});
if (found[0].uid === found[1].uid || found.some((saved) => saved.uid === '2.25.4711')) {
  console.log('changed');
  process.exit(1);
}
JS
node save.cjs
