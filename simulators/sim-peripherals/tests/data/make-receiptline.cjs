// Makes the streams of receiptline (4.0.4) and of @point-of-sale/receipt-printer-encoder (4.0.1):
// `npm install receiptline @point-of-sale/receipt-printer-encoder`, then `node make-receiptline.cjs`.
const fs = require("fs");
const receiptline = require("receiptline");
const document = [
  "^^^^A-017",
  "",
  "市民課　転入届",
  "-",
  "{width:24,12}",
  "お待ちの人数 | 5人",
  "待ち時間の目安 | 約20分",
  "{width:auto}",
  "",
  "_窓口_でお呼びします。番号札をお持ちください。",
  "ｶﾅ ABC 123",
  "",
  "{code:https://example.invalid/t/8KQ2M4;option:qrcode,4,M}",
].join("\n");
const printer = { cpl: 48, encoding: "shiftjis", spacing: true };
fs.writeFileSync("receiptline.bin", Buffer.from(receiptline.transform(document, { ...printer, command: "escpos" }), "latin1"));
fs.writeFileSync("receiptline.svg", receiptline.transform(document, printer));
(async () => {
  const { default: Encoder } = await import("@point-of-sale/receipt-printer-encoder");
  const encoder = new Encoder({ language: "esc-pos", columns: 48 });
  const bytes = encoder.initialize().align("center").width(2).height(2).line("A-017").width(1).height(1)
    .align("left").rule().line("Counter 3").bold(true).line("about 20 minutes").bold(false)
    .qrcode("https://example.invalid/t/8KQ2M4", { model: 2, size: 6, errorlevel: "m" }).newline().cut().encode();
  fs.writeFileSync("receipt-printer-encoder.bin", Buffer.from(bytes));
})();
