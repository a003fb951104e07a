/** Prints how something differs from a release, and ends the command with exit code 1 when it does. */
import type { Output } from '../terminal/output.ts'
import { type Agreed, agreedToProblem } from './agreed.ts'
import type { Difference } from './file-tree.ts'

/** More lines help nobody; with `--json` all are printed. */
const LINES_MAX = 50
const WORDS = { changed: 'differs', missing: 'is missing', added: 'is not in the release' } as const

interface Compared {
  /** The id of the release, in hex. */
  readonly release: string
  /** The release of the roster in force; undefined when it was not asked for. */
  readonly agreed?: Agreed
  /** Where a server handed out other files than here. */
  readonly places?: readonly OtherPlace[]
}
/** The paths of which another place got other files than this one. */
interface OtherPlace {
  readonly place: string
  readonly differences: readonly string[]
}

export function report(differences: readonly Difference[], compared: Compared, out: Output): void {
  const { release, agreed, places = [] } = compared
  const name = `release ${release.slice(0, 16)}`
  const problem = agreed && agreedToProblem(agreed, release)
  const apart = places.filter((place) => place.differences.length > 0)
  const count = differences.length
  const isSound = count === 0 && problem === undefined && apart.length === 0
  out.json({ ok: isSound, ...compared, differences })
  printSome(
    differences.map(({ path, how }) => `${path} ${WORDS[how]}`),
    out,
  )
  if (count === 0) out.line(`All files are those of ${name}.`)
  else out.line(`${count} ${count === 1 ? 'file is' : 'files are'} not that of ${name}.`)
  for (const { place, differences: paths } of places) {
    printSome(
      paths.map((path) => `${path} is another file in ${place}`),
      out,
    )
    if (paths.length === 0) out.line(`${place}: the server handed out the same files.`)
  }
  if (problem !== undefined) out.line(problem)
  else if (agreed !== undefined) out.line(`Roster ${agreed.height} names this release, with the votes of a quorum.`)
  else out.note('To ask whether the operators agreed on this release, add --federation federation.json.')
  if (count > 0) {
    out.note('Do not trust this copy. Compare the release with that of another operator, and build it yourself:')
    out.note('  geotrace verify build release.json --clone REPOSITORY')
  }
  if (!isSound) out.fails()
}

function printSome(lines: readonly string[], out: Output): void {
  for (const line of lines.slice(0, LINES_MAX)) out.line(line)
  if (lines.length > LINES_MAX) out.line(`… and ${lines.length - LINES_MAX} more`)
}
