/**
 * The pipeline fix → three cells and regions → thirty risk hashes, a day of fixes at a time. The core runs
 * `fixesToRiskPoints` and `hashRiskPoints` against JavaScript and C. A first pass compares every output of every slice
 * between the contenders.
 */
import * as anchors from './anchors.js'
import { saltSlice, traces } from './inputs.js'
import { nativeAnchor } from './native.js'
import { interleaved, row, timed } from './rounds.js'

const ROUNDS = 210
const HASHES_PER_FIX = 30
const HASH_BYTES = 12
const NAME = 'fix → 3 cells, regions, 30 hashes'

export async function pipelineRows(core, progress) {
  const rows = []
  for (const [kind, fixes] of Object.entries(traces())) {
    progress(`core: ${kind}: salts …`)
    const slices = fixes.map((slice) => saltSlice(core, slice))
    const native = nativeAnchor(slices)
    if (native.missing) console.error(`bench: SKIPPED, ${native.missing}`)
    else if (!native.hasH3) console.error('bench: SKIPPED, no libh3 (libh3-dev): C rows that need it')
    progress(`core: ${kind}: checking ${slices.flatMap(({ fixes: all }) => all).length} fixes …`)
    await check(core, slices, native)
    rows.push(...(await measure(core, kind, slices, native, progress)))
    native.stop?.()
  }
  return rows
}

/** All thirty hashes of each fix, in order, from the distinct hashes. */
function hashesOf(core, slice) {
  const points = core.fixesToRiskPoints(slice.fixes, 'plain')
  const hashes = core.hashRiskPoints(points, slice.ours)
  const all = new Uint8Array(points.ofFix.length * HASH_BYTES)
  points.ofFix.forEach((point, i) => {
    all.set(hashes.subarray(point * HASH_BYTES, (point + 1) * HASH_BYTES), i * HASH_BYTES)
  })
  return all
}

async function check(core, slices, native) {
  const nativeHashes = native.hasH3 ? await native.hashes() : undefined
  const perSlice = slices[0].fixes.length * HASHES_PER_FIX * HASH_BYTES
  slices.forEach((slice, i) => {
    same('h3-js + noble, the same cells', hashesOf(core, slice), anchors.sameCells(slice))
    const bytes = anchors.nobleBytes(slice)
    if (nativeHashes) same('C and noble', nativeHashes.subarray(i * perSlice, (i + 1) * perSlice), bytes)
    const strings = anchors.nobleStrings(slice)
    if (anchors.cryptoStrings && strings.join() !== anchors.cryptoStrings(slice).join()) throw new Error('crypto.hash')
  })
}

function same(what, ours, theirs) {
  if (Buffer.compare(ours, theirs) !== 0) throw new Error(`wrong hashes: ${what}`)
}

async function measure(core, kind, slices, native, progress) {
  const per = slices[0].fixes.length
  const on = (run) => (round) => timed(() => run(slices[round % slices.length]), per).ns
  const lats = slices.map(({ fixes }) => Float64Array.from(fixes, ({ lat }) => lat))
  const lngs = slices.map(({ fixes }) => Float64Array.from(fixes, ({ lng }) => lng))
  const contenders = {
    points: on((slice) => core.fixesToRiskPoints(slice.fixes, 'plain')),
    ours: on((slice) => core.hashRiskPoints(core.fixesToRiskPoints(slice.fixes, 'plain'), slice.ours)),
    ...(native.hasH3 && { c: (round) => native.ask(`p ${round % slices.length}`) }),
    ...(native.ask && { cHashes: (round) => native.ask(`h ${round % slices.length}`) }),
    ...(native.hasH3 && { cCells: (round) => native.ask(`a ${round % slices.length}`) }),
    ...(core.latLngsToCells && {
      cells: (round) =>
        timed(() => core.latLngsToCells(lats[round % slices.length], lngs[round % slices.length]), per).ns,
    }),
    h3: on(anchors.cellsByH3),
    strings: on(anchors.nobleStrings),
    bytes: on(anchors.nobleBytes),
    same: on(anchors.sameCells),
    ...(anchors.cryptoStrings && { crypto: on(anchors.cryptoStrings) }),
  }
  const best = await interleaved(contenders, ROUNDS, (round) =>
    progress(`core: ${kind}: round ${round + 1} of ${ROUNDS}`),
  )
  const name = `${NAME} (${kind})`
  const rows = [
    ['h3-js + @noble/hashes, strings', best.strings],
    ['h3-js + @noble/hashes, preallocated bytes', best.bytes],
    ['h3-js + crypto.hash, strings', best.crypto],
    ['C: libh3 + OpenSSL low-level, salt state reused', best.c],
    ['C: OpenSSL low-level alone, cells given', best.cHashes],
    ['the same cells: h3-js vertices + @noble/hashes, bytes', best.same],
    ['of it fixesToRiskPoints', best.points],
  ].map(([against, theirs]) => row(name, against, best.ours, theirs))
  const cells = [
    ['h3-js latLngToCell', best.h3],
    ['libh3 latLngToCell', best.cCells],
  ].map(([against, theirs]) => row(`cell A alone (${kind})`, against, best.cells, theirs))
  return [...rows, ...cells].filter(({ ours, theirs }) => ours !== undefined && theirs !== undefined)
}
