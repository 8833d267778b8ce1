// Makes reports.tsv: npm install @point-of-sale/webhid-barcode-scanner@1.2.2 && node reports.mjs > reports.tsv
//
// Reports of 64 bytes as the manuals of Access-IS ATR110 and LSR118 describe them, handed to that library's own
// handler of input reports; what it makes of them is recorded. The second variant has one more byte before
// the identifier, which the library accepts. Columns: variant (0 or 1), what the library read as content and as
// identifier (hexadecimal), then the reports (hexadecimal, with their id).
// The library talks.
console.log = () => {};
globalThis.navigator ??= {};
const listeners = {};
const device = {
  vendorId: 0x05f9, productId: 1, productName: 'test', collections: [{ usagePage: 0x8c, usage: 2 }],
  open: async () => {}, close: async () => {}, sendFeatureReport: async () => {},
  addEventListener: (name, listener) => { listeners[name] = listener; },
  removeEventListener: () => {},
};
Object.defineProperty(globalThis.navigator, 'hid', {
  value: { requestDevice: async () => [device], getDevices: async () => [device], addEventListener: () => {} },
});
const { default: Scanner } = await import('./node_modules/@point-of-sale/webhid-barcode-scanner/dist/webhid-barcode-scanner.esm.js');
const scanner = new Scanner();
let heard;
scanner.addEventListener('barcode', (barcode) => { heard?.(barcode); });
await scanner.connect();

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const bytes = (length, first) => Buffer.from(Array.from({ length }, (_, index) => (first + index * 7) & 0xff));
const contents = [Buffer.from('4912345678904'), Buffer.from('山田 太郎'), bytes(56, 1), bytes(57, 2), bytes(300, 3), Buffer.from('A')];
for (const shift of [0, 1]) {
  for (const [index, content] of contents.entries()) {
    const identifier = [']E0', ']Q1', ']Q1', ']d1', ']Q2', ']F0'][index];
    const room = 56 - shift;
    const reports = [];
    for (let from = 0; from < content.length; from += room) {
      const chunk = content.subarray(from, from + room);
      const report = Buffer.alloc(64);
      report[0] = 2;
      report[1] = chunk.length;
      report.write(identifier, 2 + shift, 'latin1');
      chunk.copy(report, 5 + shift);
      report[63] = from + room < content.length ? 1 : 0;
      reports.push(report);
    }
    const found = new Promise((resolve) => { heard = resolve; });
    for (const report of reports) {
      const data = new Uint8Array(report.subarray(1));
      listeners.inputreport({ data: new DataView(data.buffer), device, reportId: report[0] });
    }
    const { value, aim } = await found;
    process.stdout.write([shift, hex(Buffer.from(value, 'latin1')), hex(Buffer.from(aim, 'latin1')), ...reports.map(hex)].join('\t') + '\n');
  }
}
