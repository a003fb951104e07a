/** The meeting from above, in metres: two people and the hexagons of the chosen layers, the shared ones filled. */
import type { LabPerson } from '../lab/run.ts'
import type { Ring } from '../map/cell-ring.ts'
import { format, later } from '../text/text.ts'

const METRES_PER_DEGREE = 111_195
/** Metres from a fix to the farthest point of its hexagon of layer B or C. */
const HEXAGON_REACH_M = 24

interface Props {
  people: readonly [LabPerson, LabPerson]
  layers: readonly number[]
}

export function LabPlan({ people, layers }: Props) {
  const [ada, ben] = people
  const apartM = Math.abs(ada.fix.lng - ben.fix.lng) * METRES_PER_DEGREE * Math.cos((ada.fix.lat * Math.PI) / 180)
  const reach = apartM / 2 + HEXAGON_REACH_M
  const middle = { lat: ada.fix.lat, lng: (ada.fix.lng + ben.fix.lng) / 2 }
  const flat = Math.cos((middle.lat * Math.PI) / 180)
  const xy = (lng: number, lat: number): [number, number] => [
    (lng - middle.lng) * METRES_PER_DEGREE * flat,
    (middle.lat - lat) * METRES_PER_DEGREE,
  ]
  const points = (ring: Ring) =>
    ring
      .map(([lng, lat]) =>
        xy(lng, lat)
          .map((n) => n.toFixed(2))
          .join(','),
      )
      .join(' ')
  const hexagons = layers.flatMap((layer) =>
    people.map(({ hexagons: { ids, rings } }, i) => ({
      id: ids[layer]!,
      ring: rings[layer]!,
      name: 'ABC'[layer]!,
      shared: people[1 - i]!.hexagons.ids.includes(ids[layer]!),
    })),
  )
  const distinct = [...new Map(hexagons.map((item) => [item.id, item])).values()]
  return (
    <svg
      class="plan"
      viewBox={`${-reach} ${-reach * 0.72} ${2 * reach} ${1.44 * reach}`}
      style={{ '--metre': `${reach / 52}px` }}
      role="img"
      aria-label={later().lab.plan(distinct.filter(({ shared }) => shared).length)}
    >
      {distinct.map(({ id, ring, name, shared }) => (
        <polygon key={id} class={`hexagon layer-${name}${shared ? ' shared' : ''}`} points={points(ring)} />
      ))}
      {people.map(({ name, fix }, i) => {
        const [x, y] = xy(fix.lng, fix.lat)
        return (
          <g key={name} class={i === 0 ? 'person ada' : 'person ben'}>
            <circle cx={x} cy={y} r={reach / 30} />
            <text
              x={x}
              y={i === 0 ? y - reach / 13 : y + reach / 8}
              text-anchor={Math.abs(x) < 3 ? (i === 0 ? 'end' : 'start') : 'middle'}
            >
              {name}
            </text>
          </g>
        )
      })}
      <g class="ruler">
        <path d={`M${-reach + reach / 13} ${reach * 0.66 - 2}v2h10v-2`} />
        <text x={-reach + reach / 13 + 10 + reach / 26} y={reach * 0.66}>
          {format().metres(10)}
        </text>
      </g>
    </svg>
  )
}
