/** Bars as SVG, each with a table that says the same in text. Pure. */
import { count } from './words.ts'

export interface Bar {
  readonly name: string
  readonly value: number
}

const HEIGHT = 120
const SLOT = 40
const GAP = 8
/** A value above 0 still shows as a line of this height. */
const LEAST = 2

/** `unit` names the values in the label and in the table. */
export function BarChart({ title, unit, bars }: { title: string; unit: string; bars: readonly Bar[] }) {
  const most = Math.max(1, ...bars.map(({ value }) => value))
  const total = bars.reduce((sum, { value }) => sum + value, 0)
  const width = SLOT * bars.length
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      {total === 0 ? (
        <p class="quiet">None yet.</p>
      ) : (
        <>
          <svg
            viewBox={`0 0 ${width} ${HEIGHT}`}
            preserveAspectRatio="none"
            role="img"
            aria-label={`${title}: ${count(total)} ${unit}`}
          >
            {bars.map(({ name, value }, i) => {
              const height = value === 0 ? 0 : Math.max(LEAST, (value / most) * (HEIGHT - GAP))
              return (
                <rect key={name} x={i * SLOT + GAP / 2} y={HEIGHT - height} width={SLOT - GAP} height={height}>
                  <title>{`${name}: ${count(value)}`}</title>
                </rect>
              )
            })}
          </svg>
          <div class="axis" aria-hidden="true">
            <span>{bars[0]?.name}</span>
            <span>most: {count(most)}</span>
            <span>{bars.at(-1)?.name}</span>
          </div>
          <details>
            <summary>The same as a table</summary>
            <table>
              <tbody>
                {bars.map(({ name, value }) => (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td class="number">{count(value)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </>
      )}
    </figure>
  )
}
