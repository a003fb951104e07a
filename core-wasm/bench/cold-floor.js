// The lower bound for any code around the module: decodes, compiles and instantiates the module and runs nothing.
import { simd } from '../dist/generated/simd.js'

export function run() {
  const module = new WebAssembly.Module(Buffer.from(simd, 'hex'))
  return new WebAssembly.Instance(module).exports.memory.buffer.byteLength
}
