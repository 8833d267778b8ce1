/** The application form as a picture that is to be signed: A4 at 150 dots per inch, a PNG. */

const WIDTH = 1240;
const HEIGHT = 1754;
const LEFT = 110;

/** Draws what stands on the form. */
export async function drawForm(values: Readonly<Record<"name" | "address" | "birthDate", string>>): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext("2d");
  if (context === null) {
    throw new Error("the browser draws no pictures");
  }
  context.fillStyle = "#fff";
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.fillStyle = "#000";
  const font = getComputedStyle(document.documentElement).getPropertyValue("--form-font");
  const write = (text: string, size: number, x: number, y: number) => {
    context.font = `${size}px ${font}`;
    context.fillText(text, x, y, WIDTH - LEFT - x);
  };
  write("住民票の写し等交付請求書", 52, 320, 180);
  const lines: readonly (readonly [string, string])[] = [
    ["氏名", values.name],
    ["住所", values.address],
    ["生年月日", values.birthDate],
  ];
  lines.forEach(([name, value], index) => {
    const y = 340 + index * 110;
    write(name, 30, LEFT, y);
    write(value, 38, LEFT + 220, y);
    context.fillRect(LEFT, y + 28, WIDTH - 2 * LEFT, 2);
  });
  write("上記のとおり請求します。請求者本人が署名してください。", 30, LEFT, 760);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error("the browser made no picture")) : resolve(blob)), "image/png");
  });
}
