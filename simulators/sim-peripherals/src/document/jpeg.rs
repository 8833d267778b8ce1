//! Grey and colour pictures as baseline JPEG.
//!
//! ITU-T T.81: baseline sequential, 8 bits, no subsampling, the quantisation and Huffman tables of its
//! annex K. eSCL scanners must offer JPEG, so a simulated one has to make it; what it makes is proved by
//! other people's decoders.

/// Annex K.1 and K.2, row by row.
const LUMINANCE: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
/// From zigzag order to rows (figure A.6).
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];
/// Table K.3: how many codes of each length, and their values.
const DC_COUNTS: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const DC_VALUES: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
/// Table K.5.
const AC_COUNTS: [u8; 16] = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D];
const AC_VALUES: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
    0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0,
    0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25, 0x26, 0x27, 0x28,
    0x29, 0x2A, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
    0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
    0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
    0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7,
    0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5,
    0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2,
    0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
    0xF9, 0xFA,
];

/// A JPEG file of `pixels`, whose samples (one or three each) follow one another row by row.
pub(crate) fn encode(size: (usize, usize), samples: usize, pixels: &[u8], dpi: u16) -> Vec<u8> {
    let (width, height) = size;
    let components = if samples == 3 { 3 } else { 1 };
    let quantisers = LUMINANCE.map(|step| (step / 4).max(1));
    let mut file = headers((width, height), components, &quantisers, dpi);
    let mut bits = Bits::default();
    let (dc, ac) = (codes(&DC_COUNTS, &DC_VALUES), codes(&AC_COUNTS, &AC_VALUES));
    let cosines = cosines();
    let mut before = [0; 3];
    for top in (0..height).step_by(8) {
        for left in (0..width).step_by(8) {
            let blocks = blocks(size, components, pixels, (left, top));
            for (block, last) in blocks.iter().zip(&mut before).take(usize::from(components)) {
                let levels = transform(block, &quantisers, &cosines);
                put_block(&mut bits, &levels, last, (&dc, &ac));
            }
        }
    }
    file.extend(bits.finish());
    file.extend([0xFF, 0xD9]);
    file
}

fn headers(size: (usize, usize), components: u8, quantisers: &[u8; 64], dpi: u16) -> Vec<u8> {
    let side = |length: usize| u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    let ([wide_high, wide_low], [tall_high, tall_low]) = (side(size.0), side(size.1));
    let [dpi_high, dpi_low] = dpi.to_be_bytes();
    let mut file = vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 16];
    file.extend_from_slice(b"JFIF\0\x01\x01\x01");
    file.extend([dpi_high, dpi_low, dpi_high, dpi_low, 0, 0]);
    file.extend([0xFF, 0xDB, 0, 67, 0]);
    file.extend(ZIGZAG.iter().filter_map(|place| quantisers.get(*place)));
    let length = 8 + 3 * components;
    file.extend([
        0xFF, 0xC0, 0, length, 8, tall_high, tall_low, wide_high, wide_low, components,
    ]);
    for id in 1..=components {
        file.extend([id, 0x11, 0]);
    }
    for (class, counts, values) in [
        (0x00, &DC_COUNTS, &DC_VALUES[..]),
        (0x10, &AC_COUNTS, &AC_VALUES),
    ] {
        let length = u16::try_from(19 + values.len()).unwrap_or(u16::MAX);
        file.extend([0xFF, 0xC4]);
        file.extend(length.to_be_bytes());
        file.push(class);
        file.extend_from_slice(counts);
        file.extend_from_slice(values);
    }
    file.extend([0xFF, 0xDA, 0, 6 + 2 * components, components]);
    for id in 1..=components {
        file.extend([id, 0]);
    }
    file.extend([0, 63, 0]);
    file
}

/// The block at a place as levels around zero: one of grey, or luminance and two of colour. At the right
/// and lower edge the last pixel is repeated.
fn blocks(
    (width, height): (usize, usize),
    components: u8,
    pixels: &[u8],
    (left, top): (usize, usize),
) -> [[f32; 64]; 3] {
    let mut blocks = [[0.0; 64]; 3];
    let [luminance, blue, red] = &mut blocks;
    let samples = usize::from(components);
    let places = (0..64).map(|place| {
        let x = (left + place % 8).min(width - 1);
        let y = (top + place / 8).min(height - 1);
        (y * width + x) * samples
    });
    for (((start, y), cb), cr) in places.zip(luminance).zip(blue).zip(red) {
        let sample = |index: usize| f32::from(pixels.get(start + index).copied().unwrap_or(255));
        if samples == 1 {
            *y = sample(0) - 128.0;
            continue;
        }
        let (r, g, b) = (sample(0), sample(1), sample(2));
        *y = 0.299 * r + 0.587 * g + 0.114 * b - 128.0;
        *cb = -0.1687 * r - 0.3313 * g + 0.5 * b;
        *cr = 0.5 * r - 0.4187 * g - 0.0813 * b;
    }
    blocks
}

/// `cosines[u][x]` with the factor of row `u` (A.3.3).
fn cosines() -> [[f32; 8]; 8] {
    let mut table = [[0.0; 8]; 8];
    for (row, u) in table.iter_mut().zip(0_u8..) {
        let factor = if u == 0 { 0.125_f32.sqrt() } else { 0.5 };
        for (cell, x) in row.iter_mut().zip(0_u8..) {
            let angle = f32::from(2 * x + 1) * f32::from(u) * std::f32::consts::PI / 16.0;
            *cell = factor * angle.cos();
        }
    }
    table
}

/// Forward transform and quantisation, in zigzag order.
#[expect(clippy::cast_possible_truncation, reason = "levels lie within 11 bits")]
fn transform(block: &[f32; 64], quantisers: &[u8; 64], cosines: &[[f32; 8]; 8]) -> [i16; 64] {
    let mut rows = [0.0_f32; 64];
    for (row, line) in block.chunks_exact(8).zip(rows.chunks_exact_mut(8)) {
        for (cell, wave) in line.iter_mut().zip(cosines) {
            *cell = row
                .iter()
                .zip(wave)
                .map(|(level, cosine)| level * cosine)
                .sum();
        }
    }
    let mut levels = [0; 64];
    for (level, place) in levels.iter_mut().zip(ZIGZAG) {
        let (u, v) = (place % 8, place / 8);
        let column = rows.iter().skip(u).step_by(8);
        let wave = cosines.get(v).into_iter().flatten();
        let sum: f32 = column.zip(wave).map(|(level, cosine)| level * cosine).sum();
        let step = quantisers.get(place).copied().unwrap_or(1);
        *level = (sum / f32::from(step)).round() as i16;
    }
    levels
}

/// The code and its length for each value (annex C).
fn codes(counts: &[u8; 16], values: &[u8]) -> Vec<(u16, u8)> {
    let mut table = vec![(0, 0); 256];
    let mut values = values.iter();
    let mut code = 0_u16;
    for (length, count) in (1_u8..).zip(counts) {
        for value in values.by_ref().take(usize::from(*count)) {
            if let Some(entry) = table.get_mut(usize::from(*value)) {
                *entry = (code, length);
            }
            code = code.wrapping_add(1);
        }
        code <<= 1;
    }
    table
}

type Codes<'a> = &'a [(u16, u8)];

/// One block (F.1.2): the difference of the mean, then runs of zeros with the level that ends them.
fn put_block(
    bits: &mut Bits,
    levels: &[i16; 64],
    last: &mut i16,
    (dc, ac): (Codes<'_>, Codes<'_>),
) {
    let [mean, rest @ ..] = levels;
    bits.put_level(dc, 0, mean - *last);
    *last = *mean;
    let mut zeros = 0_u8;
    let end = rest
        .iter()
        .rposition(|level| *level != 0)
        .map_or(0, |place| place + 1);
    for level in rest.iter().take(end) {
        if *level == 0 {
            zeros += 1;
            continue;
        }
        while zeros > 15 {
            bits.put_code(ac, 0xF0);
            zeros -= 16;
        }
        bits.put_level(ac, zeros << 4, *level);
        zeros = 0;
    }
    if end < rest.len() {
        bits.put_code(ac, 0x00);
    }
}

/// Bits on their way into bytes, with a zero after each FF (B.1.1.5).
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u8,
}

impl Bits {
    fn put(&mut self, value: u16, length: u8) {
        self.pending = (self.pending << length) | u32::from(value);
        self.count += length;
        while self.count >= 8 {
            self.count -= 8;
            let [.., byte] = (self.pending >> self.count).to_be_bytes();
            self.bytes.push(byte);
            if byte == 0xFF {
                self.bytes.push(0);
            }
            self.pending &= (1 << self.count) - 1;
        }
    }

    fn put_code(&mut self, codes: Codes<'_>, value: u8) {
        if let Some((code, length)) = codes.get(usize::from(value)) {
            self.put(*code, *length);
        }
    }

    /// A category with a run before it, then the level's own bits.
    fn put_level(&mut self, codes: Codes<'_>, run: u8, level: i16) {
        let size = u16::BITS - level.unsigned_abs().leading_zeros();
        let size = u8::try_from(size).unwrap_or(0);
        self.put_code(codes, run | size);
        let own = if level < 0 {
            (level - 1).cast_unsigned() & ((1 << size) - 1)
        } else {
            level.cast_unsigned()
        };
        self.put(own, size);
    }

    /// The last byte is filled with ones.
    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.put(0x7F, 7);
        }
        self.bytes
    }
}
