// node core-wasm/scripts/golden.js [FIXES]: compares both builds of dist/ with the golden digest. Exit 1 if one differs.
import { loadCore } from '../dist/index.js'
import { GOLDEN, goldenDigest } from './golden-digest.js'

const count = Number(process.argv[2] ?? 1_000_000)
for (const build of ['simd', 'scalar']) {
  const digest = goldenDigest(await loadCore({ build }), count)
  const isGolden = digest === GOLDEN[count]
  console.log(
    `Node ${process.versions.node}, ${build}: ${count} fixes ${digest} ${isGolden ? 'as ever' : 'NOT GOLDEN'}`,
  )
  if (!isGolden) process.exitCode = 1
}
