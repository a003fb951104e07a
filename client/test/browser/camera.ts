/** A film of one picture with a QR code, for the fake camera of Chromium. */
import { writeFile } from 'node:fs/promises'
import encodeQR from 'qr'

const [WIDTH, HEIGHT] = [640, 480]
/** Pixels of a module, as from an arm's length. */
const SCALE = 8
const [BLACK, GREY, WHITE] = [16, 128, 235]

/** Writes a YUV4MPEG2 file (4:2:0): the luma of the picture, then two planes without colour. Returns Chromium's options. */
export async function filmQrCode(text: string, file: string): Promise<string[]> {
  const modules = encodeQR(text, 'raw', { border: 4 })
  const luma = Buffer.alloc(WIDTH * HEIGHT, WHITE)
  const [left, top] = [(WIDTH - modules.length * SCALE) >> 1, (HEIGHT - modules.length * SCALE) >> 1]
  for (let y = 0; y < modules.length * SCALE; y++) {
    for (let x = 0; x < modules.length * SCALE; x++) {
      if (modules[Math.floor(y / SCALE)]![Math.floor(x / SCALE)]) luma[(top + y) * WIDTH + left + x] = BLACK
    }
  }
  const chroma = Buffer.alloc((WIDTH * HEIGHT) / 2, GREY)
  await writeFile(file, [`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\nFRAME\n`, luma, chroma])
  return ['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${file}`]
}
