/**
 * The map file on this device: one PMTiles archive in the browser's private file system. It is read by pieces from there, so
 * that a file of hundreds of megabytes costs little memory. Nothing about it leaves the device.
 */
import type { RangeResponse, Source } from 'pmtiles'

const NAME = 'streets.pmtiles'
/** A directory or a tile of an archive that browsers can draw is smaller. */
const PIECE_MAX_BYTES = 16 << 20

/** Undefined when none is kept, or when the browser has no private file system. */
export async function readKeptFile(): Promise<File | undefined> {
  try {
    const folder = await navigator.storage.getDirectory()
    return await (await folder.getFileHandle(NAME)).getFile()
  } catch {
    return undefined
  }
}

/** Copies the file. False when this browser cannot keep files. Throws QuotaExceededError when there is no room. */
export async function keepFile(file: Blob): Promise<boolean> {
  const folder = await navigator.storage?.getDirectory?.()
  const handle = await folder?.getFileHandle(NAME, { create: true })
  if (handle === undefined || !('createWritable' in handle)) return false
  try {
    await file.stream().pipeTo(await handle.createWritable())
  } catch (error) {
    await forgetFile()
    throw error
  }
  return true
}

export async function forgetFile(): Promise<void> {
  const folder = await navigator.storage?.getDirectory?.()
  await folder?.removeEntry(NAME).catch(() => undefined)
}

/** Reads pieces of the file, and refuses pieces of a size that no such archive has. */
export class BoundedSource implements Source {
  readonly #file: Blob

  constructor(file: Blob) {
    this.#file = file
  }

  getKey(): string {
    return NAME
  }

  async getBytes(offset: number, length: number): Promise<RangeResponse> {
    if (length > PIECE_MAX_BYTES)
      throw new RangeError(`a piece of a map file expected at most ${PIECE_MAX_BYTES} bytes`)
    return { data: await this.#file.slice(offset, offset + length).arrayBuffer() }
  }
}

/** Unpacks at most as many bytes as a piece may have. Kinds of compression: 1 none, 2 gzip. */
export async function unpack(packed: ArrayBuffer, compression: number): Promise<ArrayBuffer> {
  if (compression < 2) return packed
  if (compression !== 2) throw new TypeError('the compression of a map file expected gzip or none')
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip')).getReader()
  const parts: Uint8Array<ArrayBuffer>[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return new Blob(parts).arrayBuffer()
    length += value.length
    if (length > PIECE_MAX_BYTES) {
      await reader.cancel()
      throw new RangeError(`a piece of a map file expected at most ${PIECE_MAX_BYTES} bytes`)
    }
    parts.push(value)
  }
}
