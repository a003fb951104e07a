// What no code around the module can undercut: a file with it, decoded, compiled and instantiated, and nothing run.
import { simd } from '../dist/generated/simd.js'

export function run() {
  const module = new WebAssembly.Module(Buffer.from(simd, 'hex'))
  return new WebAssembly.Instance(module).exports.memory.buffer.byteLength
}
