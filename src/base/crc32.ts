function table(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    return value >>> 0;
  });
}

function checksum(table: Uint32Array, bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ (table[(value ^ byte) & 0xff] as number);
  return (value ^ 0xffffffff) >>> 0;
}

const castagnoli = table(0x82f63b78);

/** CRC-32C (Castagnoli), masked as TensorBoard's record files have it. Node's zlib has only the IEEE polynomial. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = checksum(castagnoli, bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const ieee = table(0xedb88320);

/** CRC-32 (IEEE). `zlib.crc32` came with Node 20.15 and 22.2: later than the oldest Node that this package runs on. */
export function crc32(bytes: Uint8Array): number {
  return checksum(ieee, bytes);
}
