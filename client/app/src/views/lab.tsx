/**
 * The lab: two people meet, and the reader follows cells, blocks, salts, hashes and marks step by step. The reader can
 * move the two apart, in metres or in minutes, and see which hashes still match.
 */

import '../styles/lab.css'
import { useEffect, useId, useState } from 'preact/hooks'
import { type LabPerson, type LabRun, runLab } from '../lab/run.ts'
import { Scrollable } from '../scrollable.tsx'
import { bytes, closeness, count, degreeToWords, time } from '../words.ts'
import { LabPlan } from './lab-plan.tsx'

const STEPS = ['Two people', 'Hexagons', 'Time blocks', 'Salts', 'Risk hashes', 'Central peer', 'Marks'] as const
const SETTLE_MS = 120
const LAYERS = ['A', 'B', 'C'] as const
const SIZES = [5, 10, 20, 40, 80] as const
const MINUTE_MS = 60_000

export default function LabView() {
  const [distanceM, setDistance] = useState(4)
  const [gapMin, setGap] = useState(7)
  const [step, setStep] = useState(0)
  const [run, setRun] = useState<LabRun | undefined>(undefined)
  const [failed, setFailed] = useState<string | undefined>(undefined)
  useEffect(() => {
    let current = true
    const timer = setTimeout(() => {
      runLab({ distanceM, gapMin }).then(
        (next) => current && setRun(next),
        (error) => current && setFailed(String(error)),
      )
    }, SETTLE_MS)
    return () => {
      current = false
      clearTimeout(timer)
    }
  }, [distanceM, gapMin])
  return (
    <div class="page lab">
      <h1>Lab</h1>
      <p class={step === 0 ? 'lead' : 'lead said'}>
        Ada and Ben, each with a phone. Everything below is computed here and now by the same core and the same client
        that your own phone runs, with a federation that lives in this page.
      </p>
      <section class="card knobs" aria-label="The meeting">
        <Knob label="Apart" text={`${distanceM} m`} value={distanceM} min={0} max={40} onValue={setDistance} />
        <Knob
          label={gapMin < 0 ? 'Ben before Ada' : 'Ben after Ada'}
          text={`${Math.abs(gapMin)} min`}
          value={gapMin}
          min={-90}
          max={90}
          onValue={setGap}
        />
        {run !== undefined && <Verdict run={run} />}
      </section>
      <ol class="stepper">
        {STEPS.map((name, i) => (
          <li key={name}>
            <button type="button" aria-current={i === step ? 'step' : undefined} onClick={() => setStep(i)}>
              <span class="number">{i + 1}</span> {name}
            </button>
          </li>
        ))}
      </ol>
      {failed !== undefined && <p class="warning">{failed}</p>}
      {run === undefined ? <p class="loading">The core is loading …</p> : <Step step={step} run={run} />}
      <div class="row buttons spread">
        <button type="button" disabled={step === 0} onClick={() => setStep(step - 1)}>
          Back
        </button>
        <button type="button" class="primary" disabled={step === STEPS.length - 1} onClick={() => setStep(step + 1)}>
          Next{step < STEPS.length - 1 ? `: ${STEPS[step + 1]}` : ''}
        </button>
      </div>
    </div>
  )
}

interface KnobProps {
  label: string
  text: string
  value: number
  min: number
  max: number
  onValue: (value: number) => void
}

function Knob({ label, text, value, min, max, onValue }: KnobProps) {
  const id = useId()
  return (
    <div class="knob">
      <span class="row spread">
        <label for={id}>{label}</label> <output for={id}>{text}</output>
      </span>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        value={value}
        aria-valuetext={text}
        onInput={(event) => onValue(Number(event.currentTarget.value))}
      />
    </div>
  )
}

function Verdict({ run }: { run: LabRun }) {
  const [met] = run.exposures
  return (
    <p class={`verdict ${met === undefined ? 'calm' : 'risk'}`} role="status">
      {met === undefined
        ? 'When Ada reports, Ben learns nothing, because no hash of his counts.'
        : `When Ada reports, Ben is notified: ${closeness(met)}`}
    </p>
  )
}

function Step({ step, run }: { step: number; run: LabRun }) {
  switch (step) {
    case 0:
      return <People run={run} />
    case 1:
      return <Hexagons run={run} />
    case 2:
      return <Blocks run={run} />
    case 3:
      return <Salts run={run} />
    case 4:
      return <Hashes run={run} />
    case 5:
      return <Centre run={run} />
    default:
      return <Marks run={run} />
  }
}

function People({ run: { ada, ben } }: { run: LabRun }) {
  return (
    <section class="card two" aria-labelledby="step">
      <LabPlan people={[ada, ben]} layers={[]} />
      <div>
        <h2 id="step">Two people, two fixes</h2>
        <p>
          Every five minutes a phone keeps its most accurate position: latitude, longitude, time. That is a fix. It
          stays in the phone’s diary.
        </p>
        {[ada, ben].map(({ name, fix }) => (
          <p key={name} class="mono">
            <strong>{name}</strong> {fix.lat.toFixed(6)}, {fix.lng.toFixed(6)} at {time(fix.at)}
          </p>
        ))}
      </div>
    </section>
  )
}

function Hexagons({ run: { ada, ben } }: { run: LabRun }) {
  const shared = LAYERS.filter((_, i) => ada.hexagons.ids[i] === ben.hexagons.ids[i])
  const crossed = ada.hexagons.ids.filter((id) => ben.hexagons.ids.includes(id)).length
  return (
    <section class="card two" aria-labelledby="step">
      <LabPlan people={[ada, ben]} layers={[0, 1, 2]} />
      <div>
        <h2 id="step">Three hexagons each</h2>
        <p>
          A fix becomes three hexagons of 22 m, one of each layer. The layers are shifted, so that a person at the edge
          of one hexagon is inside another. Two people nearer than 6.5 m always share one, and two people more than 24 m
          apart never do.
        </p>
        <ul class="legend">
          {LAYERS.map((layer, i) => (
            <li key={layer}>
              <span class={`swatch layer-${layer}`} aria-hidden="true" /> Layer {layer}:{' '}
              {ada.hexagons.ids[i] === ben.hexagons.ids[i] ? <strong>shared</strong> : 'two different ones'}
            </li>
          ))}
        </ul>
        <p>
          {crossed === 0
            ? 'Ada and Ben share no hexagon, so nothing can match.'
            : `Ada and Ben share ${count(crossed, 'hexagon')}${shared.length > 0 ? ` (${shared.join(', ')})` : ''}.`}
        </p>
      </div>
    </section>
  )
}

function Blocks({ run: { ada, ben } }: { run: LabRun }) {
  const from = Math.floor(Math.min(ada.fix.at, ben.fix.at) / (80 * MINUTE_MS)) * 80 * MINUTE_MS
  const to = (Math.floor(Math.max(ada.fix.at, ben.fix.at) / (80 * MINUTE_MS)) + 2) * 80 * MINUTE_MS
  const x = (at: number) => (600 * (at - from)) / (to - from)
  const bar = (person: LabPerson, size: number, lag: 0 | 1) =>
    person.blocks.find((block) => block.size === size && block.lag === lag)!
  return (
    <section class="card" aria-labelledby="step">
      <h2 id="step">Ten time blocks each</h2>
      <p>
        Time is cut into blocks of 5, 10, 20, 40 and 80 minutes. A fix counts in its block and in the next one, because
        what somebody breathed out stays a while. Above the line Ada, below it Ben; outlined is the next block.
      </p>
      <Scrollable label="Time blocks">
        <svg class="timeline" viewBox="-58 0 664 256" role="img" aria-label={blockWords(ada, ben)}>
          {SIZES.map((size, row) => {
            const y = 14 + row * 46
            return (
              <g key={size}>
                <text x="-8" y={y + 19} text-anchor="end">
                  {size} min
                </text>
                <line x1="0" x2="600" y1={y + 16} y2={y + 16} />
                {[ada, ben].map((person, i) =>
                  ([1, 0] as const).map((lag) => {
                    const block = bar(person, size, lag)
                    const start = block.n * size * MINUTE_MS
                    const name = `block ${i === 0 ? 'ada' : 'ben'} ${lag === 0 ? 'current' : 'next'}`
                    const met = i === 0 ? current(ben, size) === block.n : lag === 0 && meets(ada, size, block.n)
                    return (
                      <rect
                        key={`${i}${lag}`}
                        class={met ? `${name} met` : name}
                        x={x(start) + 1}
                        y={i === 0 ? y : y + 18}
                        width={Math.max(2, x(start + size * MINUTE_MS) - x(start) - 2)}
                        height="14"
                        rx="3"
                      />
                    )
                  }),
                )}
              </g>
            )
          })}
          {[ada, ben].map((person, i) => (
            <g key={person.name} class={i === 0 ? 'moment ada' : 'moment ben'}>
              <line x1={x(person.fix.at)} x2={x(person.fix.at)} y1="6" y2="236" />
              <text x={x(person.fix.at) + 4} y={i === 0 ? 9 : 252}>
                {person.name} {time(person.fix.at)}
              </text>
            </g>
          ))}
        </svg>
      </Scrollable>
      <p>{blockWords(ada, ben)}</p>
    </section>
  )
}

function blockWords(ada: LabPerson, ben: LabPerson): string {
  const same = SIZES.filter((size) => current(ada, size) === current(ben, size))
  const trail = SIZES.filter((size) => current(ada, size) + 1 === current(ben, size))
  if (same.length === 0 && trail.length === 0)
    return 'Ben was in none of Ada’s blocks and in none of the blocks after hers.'
  const list = (sizes: readonly number[]) => sizes.join(', ')
  return [
    same.length > 0 ? `Same block of ${list(same)} minutes.` : '',
    trail.length > 0 ? `Ben came in the block after Ada’s, of ${list(trail)} minutes.` : '',
  ].join(' ')
}

/** Whether block `n` is the person's current block or the next one. */
function meets(person: LabPerson, size: number, n: number): boolean {
  return n === current(person, size) || n === current(person, size) + 1
}

function current(person: LabPerson, size: number): number {
  return person.blocks.find((block) => block.size === size && block.lag === 0)!.n
}

function Salts({ run }: { run: LabRun }) {
  const { ada, ben, requests, shards } = run
  const asked = [...new Set([...ada.points, ...ben.points].map(({ shard }) => shard))]
  const several = asked.length > 1
  const salts = requests.filter(({ protocol }) => protocol === 'salts')
  const names = (person: LabPerson) =>
    new Map(person.points.map((point) => [`${point.shard}/${point.size}/${point.n}`, point]))
  const [hers, his] = [names(ada), names(ben)]
  return (
    <section class="card" aria-labelledby="step">
      <h2 id="step">Salts from volunteers</h2>
      <p>
        Each hexagon lies in a region of some 50 km, and the region’s number modulo {shards} names the shard:{' '}
        {asked.join(', ')}. The phones ask volunteers of that shard for one salt a time block. A salt says nothing of a
        place, lives for a few hours, and is the same for everybody who asks.
      </p>
      <ul class="plain">
        {salts.map(({ who, to, sent, received }, i) => (
          <li key={i}>
            {who} asks the node of <strong>{to}</strong>: {bytes(sent)} there, {bytes(received)} back, signed and
            checked against the sheet.
          </li>
        ))}
      </ul>
      <Scrollable label="Salts">
        <table class="hashes">
          <thead>
            <tr>
              <th scope="col">Block</th>
              <th scope="col">Ada’s salt</th>
              <th scope="col">Ben’s salt</th>
            </tr>
          </thead>
          <tbody>
            {[...new Set([...hers.keys(), ...his.keys()])].sort(byBlock).map((name) => {
              const [shard, size, n] = name.split('/').map(Number) as [number, number, number]
              const both = hers.has(name) && his.has(name)
              return (
                <tr key={name} class={both ? 'met' : ''}>
                  <th scope="row">
                    {size} min from {time(n * size * MINUTE_MS)}
                    {several && `, shard ${shard}`}
                  </th>
                  <td class="mono">{short(hers.get(name)?.salt)}</td>
                  <td class="mono">{short(his.get(name)?.salt)}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </Scrollable>
    </section>
  )
}

function byBlock(a: string, b: string): number {
  const [, sizeA = 0, nA = 0] = a.split('/').map(Number)
  const [, sizeB = 0, nB = 0] = b.split('/').map(Number)
  return sizeA - sizeB || nA - nB
}

function short(hex: string | undefined): string {
  return hex === undefined ? '' : `${hex.slice(0, 10)}…`
}

function Hashes({ run: { ada, ben, equal } }: { run: LabRun }) {
  const [hers, his] = [new Set(equal.map(([i]) => i)), new Set(equal.map(([, k]) => k))]
  return (
    <section class="card" aria-labelledby="step">
      <h2 id="step">Thirty risk hashes each</h2>
      <p>
        Hexagon, block and salt go through SHA-256; twelve bytes of it are the risk hash. Where both had the same
        hexagon and the same block the hashes are equal: {equal.length === 0 ? 'nowhere' : `${equal.length} times`}.
      </p>
      <div class="pair">
        <HashGrid person={ada} met={hers} />
        <HashGrid person={ben} met={his} />
      </div>
    </section>
  )
}

function HashGrid({ person, met }: { person: LabPerson; met: ReadonlySet<number> }) {
  return (
    <Scrollable label={`${person.name}’s risk hashes`}>
      <table class="hashes">
        <caption>{person.name}</caption>
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col">Block</th>
            <th scope="col">current</th>
            <th scope="col">next</th>
          </tr>
        </thead>
        <tbody>
          {LAYERS.flatMap((layer, l) =>
            SIZES.map((size, s) => {
              const i = l * 10 + s * 2
              return (
                <tr key={`${layer}${size}`}>
                  <th scope="row">
                    <span class={`swatch layer-${layer}`} aria-hidden="true" /> {layer}
                  </th>
                  <td>{size}</td>
                  {[i, i + 1].map((k) => (
                    <td key={k} class={met.has(k) ? 'mono met' : 'mono'}>
                      {person.points[k]!.hash.slice(0, 8)}
                    </td>
                  ))}
                </tr>
              )
            }),
          )}
        </tbody>
      </table>
    </Scrollable>
  )
}

function Centre({ run: { rowsAtCentre, requests } }: { run: LabRun }) {
  const seen = new Map<string, number>()
  for (const hash of rowsAtCentre) seen.set(hash, (seen.get(hash) ?? 0) + 1)
  const syncs = requests.filter(({ protocol }) => protocol === 'sync')
  return (
    <section class="card" aria-labelledby="step">
      <h2 id="step">What the central peer sees</h2>
      <p>
        {count(rowsAtCentre.length, 'hash', 'hashes')} of two random names, and nothing else. It cannot tell a place
        from them; it can tell that {[...seen.values()].filter((n) => n > 1).length} are there twice. The syncs are of a
        fixed size: {[...new Set(syncs.map(({ sent }) => bytes(sent)))].join(', ')}.
      </p>
      <p class="cloud mono" role="img" aria-label={`${rowsAtCentre.length} hashes, those that are there twice marked`}>
        {[...seen].map(([hash, n]) => (
          <span key={hash} class={n > 1 ? 'met' : ''}>
            {hash.slice(0, 12)}
          </span>
        ))}
      </p>
    </section>
  )
}

function Marks({ run: { exposures, ben } }: { run: LabRun }) {
  const [met] = exposures
  return (
    <section class="card" aria-labelledby="step">
      <h2 id="step">Ada reports, Ben learns</h2>
      <p>
        Ada’s code arrives with an ordinary sync. The central peer marks the hashes of others that equal hers and are
        not earlier. At Ben’s next sync his phone reads its marks and looks them up in its own diary, the only place
        that knows what they mean.
      </p>
      {met === undefined ? (
        <p class="verdict calm">Nothing of Ben’s is marked: they were too far apart, or he had left before she came.</p>
      ) : (
        <div class={`card exposure exposure-${met.certainty}`}>
          <h3>
            {time(met.from)} – {time(met.to)}
          </h3>
          <p>
            {closeness(met)} {degreeToWords(met.degree)}
          </p>
          <p class="small">
            {count(met.same, 'mark')} of the same block, {met.trail} of the block after; within {met.lagMin.to} minutes;
            certainty {met.certainty}. At {ben.fix.lat.toFixed(5)}, {ben.fix.lng.toFixed(5)}, which only Ben’s phone
            knows.
          </p>
        </div>
      )}
    </section>
  )
}
