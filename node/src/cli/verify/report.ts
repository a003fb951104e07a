/** Prints how something differs from a release, and ends the command with exit code 1 when it does. */
import type { Output } from '../terminal/output.ts'
import type { Difference } from './file-tree.ts'

/** More lines help nobody; with `--json` all are printed. */
const LINES_MAX = 50
const WORDS = { changed: 'differs', missing: 'is missing', added: 'is not in the release' } as const

export function report(found: readonly Difference[], release: string, out: Output): void {
  out.json({ ok: found.length === 0, release, differences: found })
  for (const { path, how } of found.slice(0, LINES_MAX)) out.line(`${path} ${WORDS[how]}`)
  if (found.length > LINES_MAX) out.line(`… and ${found.length - LINES_MAX} more`)
  if (found.length === 0) {
    out.line(`All files are those of release ${release.slice(0, 16)}.`)
    return
  }
  out.line(
    `${found.length} ${found.length === 1 ? 'file is' : 'files are'} not that of release ${release.slice(0, 16)}.`,
  )
  out.note('Do not trust this copy. Compare the release with that of another operator, and build it yourself:')
  out.note('  geotrace verify build release.json --clone REPOSITORY')
  out.fails()
}
