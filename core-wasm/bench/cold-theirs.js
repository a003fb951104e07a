import { nobleBytes } from './anchors.js'
import { fixes, salt } from './cold-fixes.js'

export function run() {
  const salts = [Array(10).fill(salt)]
  return nobleBytes({ perFix: fixes.map((fix) => ({ ...fix, salts })) }).length
}
