/** The line of an offset. Call this for errors only: the cost grows with the offset. */

export function offsetToLine(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}
