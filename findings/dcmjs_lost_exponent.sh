#!/usr/bin/env bash
# dcmjs writes numbers of VR DS: a nothing that arithmetic left, such as cos(90 degrees) or 0.1 + 0.2 - 0.3.
# Guess: a number of more than 16 characters, the most that DS takes, is rounded to 16 characters, and stays what it is.
# Seen: its text is cut after 16 characters, and the exponent goes: 6.123233995736766e-17 becomes 6.12323399573676.
# Why it surprises: a direction that is 0 but for rounding becomes 6.12, and a change of size of 0 mm becomes 5.55 mm. Both are valid
# DS, no reader complains. Numbers without an exponent only lose digits, so that most tests do not see it.
set -euo pipefail
command -v node > /dev/null || { echo "node is not installed"; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund dcmjs@0.52.2
cat > numbers.cjs <<'JS'
const dcmjs = require('dcmjs');
dcmjs.log.setLevel('silent');
console.log('dcmjs', require('./node_modules/dcmjs/package.json').version);
const {DicomDict, DicomMessage, DicomMetaDictionary} = dcmjs.data;
const meta = {
  TransferSyntaxUID: '1.2.840.10008.1.2.1',
  MediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.6.1',
  MediaStorageSOPInstanceUID: '2.25.1',
};
const written = (given) => {
  const file = new DicomDict(DicomMetaDictionary.denaturalizeDataset(meta));
  file.dict = DicomMetaDictionary.denaturalizeDataset({...given, _meta: {}});
  return DicomMetaDictionary.naturalizeDataset(DicomMessage.readFile(file.write()).dict);
};
const zero = Math.cos(Math.PI / 2);
const turned = written({ImageOrientationPatient: [1, 0, 0, 0, zero, 1]}).ImageOrientationPatient;
console.log(`ImageOrientationPatient, cos(90 degrees): ${zero} -> ${turned[4]}`);
const change = 0.1 + 0.2 - 0.3;
const changed = written({NumericValue: change}).NumericValue;
console.log(`NumericValue, 0.1 + 0.2 - 0.3: ${change} -> ${changed}`);
const plain = written({NumericValue: 100 / 3}).NumericValue;
console.log(`NumericValue, 100 / 3: ${100 / 3} -> ${plain}`);
if (!(Number(turned[4]) > 6 && Number(changed) > 5 && Math.abs(Number(plain) - 100 / 3) < 1e-9)) {
  console.log('changed');
  process.exit(1);
}
JS
node numbers.cjs
