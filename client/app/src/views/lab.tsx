/**
 * The lab: two people meet, and the reader follows cells, blocks, salts, hashes and marks step by step. The reader can
 * move the two apart, in metres or in minutes, and see which hashes still match.
 */

import '../styles/lab.css'
import type { Salting } from '@geotrace/core-wasm'
import { useEffect, useId, useState } from 'preact/hooks'
import { coordinates } from '../coordinates.ts'
import { type LabPerson, type LabPoint, type LabRequest, type LabRun, runLab } from '../lab/run.ts'
import type { LabEvaluation } from '../lab/secrets.ts'
import { Scrollable } from '../scrollable.tsx'
import { Rich } from '../text/rich.tsx'
import { format, later, words } from '../text/text.ts'
import { LabPlan } from './lab-plan.tsx'

const SETTLE_MS = 120
const LAYERS = ['A', 'B', 'C'] as const
const SIZES = [5, 10, 20, 40, 80] as const
const MINUTE_MS = 60_000
const EPOCH_MIN = 80

export default function LabView({ salting }: { salting: Salting }) {
  const { lab } = later()
  const { metres, shortMinutes } = format()
  const steps = lab.steps(salting)
  const [distanceM, setDistance] = useState(4)
  const [gapMin, setGap] = useState(7)
  const [step, setStep] = useState(0)
  const [run, setRun] = useState<LabRun | undefined>(undefined)
  const [failed, setFailed] = useState<string | undefined>(undefined)
  useEffect(() => {
    let current = true
    const timer = setTimeout(() => {
      runLab({ distanceM, gapMin, salting }).then(
        (next) => current && setRun(next),
        (error) => current && setFailed(String(error)),
      )
    }, SETTLE_MS)
    return () => {
      current = false
      clearTimeout(timer)
    }
  }, [distanceM, gapMin, salting])
  return (
    <div class="page lab">
      <h1>{lab.title}</h1>
      <p class={step === 0 ? 'lead' : 'lead said'}>{lab.lead}</p>
      <section class="card knobs" aria-label={lab.meeting}>
        <Knob label={lab.apart} text={metres(distanceM)} value={distanceM} min={0} max={40} onValue={setDistance} />
        <Knob
          label={gapMin < 0 ? lab.benBefore : lab.benAfter}
          text={shortMinutes(Math.abs(gapMin))}
          value={gapMin}
          min={-90}
          max={90}
          onValue={setGap}
        />
        {run !== undefined && <Verdict run={run} />}
      </section>
      <ol class="stepper">
        {steps.map((name, i) => (
          <li key={name}>
            <button type="button" aria-current={i === step ? 'step' : undefined} onClick={() => setStep(i)}>
              <span class="number">{format().number(i + 1)}</span> {name}
            </button>
          </li>
        ))}
      </ol>
      {failed !== undefined && <p class="warning">{failed}</p>}
      {run === undefined ? <p class="loading">{lab.loading}</p> : <Step step={step} run={run} />}
      <div class="row buttons spread">
        <button type="button" disabled={step === 0} onClick={() => setStep(step - 1)}>
          {lab.back}
        </button>
        <button type="button" class="primary" disabled={step === steps.length - 1} onClick={() => setStep(step + 1)}>
          {lab.next(steps[step + 1])}
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
  const { lab } = later()
  const [met] = run.exposures
  return (
    <p class={`verdict ${met === undefined ? 'calm' : 'risk'}`} role="status">
      {met === undefined ? lab.learnsNothing : lab.notified(words().closeness(met))}
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
      return run.salting === 'plain' ? <Salts run={run} /> : <Keys run={run} />
    case 4:
      return <Hashes run={run} />
    case 5:
      return <Parties run={run} />
    default:
      return <Marks run={run} />
  }
}

function People({ run: { ada, ben } }: { run: LabRun }) {
  const { lab } = later()
  return (
    <section class="card two" aria-labelledby="step">
      <LabPlan people={[ada, ben]} layers={[]} />
      <div>
        <h2 id="step">{lab.peopleTitle}</h2>
        <p>{lab.people}</p>
        {[ada, ben].map(({ name, fix }) => (
          <p key={name}>
            <strong translate={false}>{name}</strong>{' '}
            {lab.fixAt(`${fix.lat.toFixed(6)}, ${fix.lng.toFixed(6)}`, format().time(fix.at))}
          </p>
        ))}
      </div>
    </section>
  )
}

function Hexagons({ run: { ada, ben } }: { run: LabRun }) {
  const { lab } = later()
  const shared = LAYERS.filter((_, i) => ada.hexagons.ids[i] === ben.hexagons.ids[i])
  const crossed = ada.hexagons.ids.filter((id) => ben.hexagons.ids.includes(id)).length
  return (
    <section class="card two" aria-labelledby="step">
      <LabPlan people={[ada, ben]} layers={[0, 1, 2]} />
      <div>
        <h2 id="step">{lab.hexagonsTitle}</h2>
        <p>{lab.hexagons}</p>
        <ul class="legend">
          {LAYERS.map((layer, i) => (
            <li key={layer}>
              <span class={`swatch layer-${layer}`} aria-hidden="true" /> {lab.layer(layer)}
              {ada.hexagons.ids[i] === ben.hexagons.ids[i] ? <strong>{lab.shared}</strong> : lab.different}
            </li>
          ))}
        </ul>
        <p>{crossed === 0 ? lab.noneShared : lab.someShared(crossed, shared)}</p>
      </div>
    </section>
  )
}

function Blocks({ run: { ada, ben } }: { run: LabRun }) {
  const { lab } = later()
  const { time, shortMinutes } = format()
  const from = Math.floor(Math.min(ada.fix.at, ben.fix.at) / (80 * MINUTE_MS)) * 80 * MINUTE_MS
  const to = (Math.floor(Math.max(ada.fix.at, ben.fix.at) / (80 * MINUTE_MS)) + 2) * 80 * MINUTE_MS
  const x = (at: number) => (600 * (at - from)) / (to - from)
  const bar = (person: LabPerson, size: number, lag: 0 | 1) =>
    person.blocks.find((block) => block.size === size && block.lag === lag)!
  return (
    <section class="card" aria-labelledby="step">
      <h2 id="step">{lab.blocksTitle}</h2>
      <p>{lab.blocks}</p>
      <Scrollable label={lab.blocksLabel}>
        <svg class="timeline" viewBox="-58 0 664 256" role="img" aria-label={blockWords(ada, ben)}>
          {SIZES.map((size, row) => {
            const y = 14 + row * 46
            return (
              <g key={size}>
                <text x="-8" y={y + 19} text-anchor="end">
                  {shortMinutes(size)}
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
  const { lab } = later()
  const { number } = format()
  if (same.length === 0 && trail.length === 0) return lab.noBlock
  return [
    same.length > 0 ? lab.sameBlock(same.map(number)) : '',
    trail.length > 0 ? lab.trailBlock(trail.map(number)) : '',
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
  const { lab } = later()
  const { bytes, number, shortMinutes, time } = format()
  const asked = [...new Set([...ada.points, ...ben.points].map(({ shard }) => shard))]
  const several = asked.length > 1
  const salts = requests.filter(({ protocol }) => protocol === 'secrets')
  const names = (person: LabPerson) =>
    new Map(person.points.map((point) => [`${point.shard}/${point.size}/${point.n}`, point]))
  const [hers, his] = [names(ada), names(ben)]
  return (
    <section class="card" aria-labelledby="step">
      <h2 id="step">{lab.saltsTitle}</h2>
      <p>{lab.salts(shards, asked.map(number))}</p>
      <ul class="plain">
        {salts.map(({ who, to, sent, received }, i) => (
          <li key={i}>
            <Bold text={lab.saltRequest(who, to, bytes(sent), bytes(received))} />
          </li>
        ))}
      </ul>
      <Scrollable label={lab.saltsTable}>
        <table class="hashes">
          <thead>
            <tr>
              <th scope="col">{lab.block}</th>
              <th scope="col">{lab.saltOf.ada}</th>
              <th scope="col">{lab.saltOf.ben}</th>
            </tr>
          </thead>
          <tbody>
            {[...new Set([...hers.keys(), ...his.keys()])].sort(byBlock).map((name) => {
              const [shard, size, n] = name.split('/').map(Number) as [number, number, number]
              const both = hers.has(name) && his.has(name)
              return (
                <tr key={name} class={both ? 'met' : ''}>
                  <th scope="row">
                    {lab.blockFrom(shortMinutes(size), time(n * size * MINUTE_MS), several ? number(shard) : undefined)}
                  </th>
                  <Hex text={hers.get(name)?.secret} />
                  <Hex text={his.get(name)?.secret} />
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

/** Bold parts are names of operators. */
function Bold({ text }: { text: string }) {
  return <Rich text={text} parts={{ b: (inner) => <strong translate={false}>{inner}</strong> }} />
}

/** The beginning of a number in hex, as a cell of a table. */
function Hex({ text }: { text: string | undefined }) {
  return (
    <td class="mono" translate={false}>
      {text === undefined ? '' : `${text.slice(0, 10)}…`}
    </td>
  )
}

function Keys({ run }: { run: LabRun }) {
  const { ada, ben, requests, shards, threshold, replicas } = run
  const { lab } = later()
  const { bytes, number, time } = format()
  const asked = [...new Set([...ada.points, ...ben.points].map(({ shard }) => shard))]
  const names = (person: LabPerson) =>
    new Map(person.points.map((point) => [`${Math.floor((point.size * point.n) / EPOCH_MIN)}/${point.cell}`, point]))
  const [hers, his] = [names(ada), names(ben)]
  const all = new Map([...his, ...hers])
  return (
    <section class="card" aria-labelledby="step">
      <h2 id="step">{lab.keysTitle}</h2>
      <p>{lab.keys(threshold, replicas, shards, asked.map(number))}</p>
      {run.evaluation !== undefined && <Blinding evaluation={run.evaluation} threshold={threshold} />}
      <ul class="plain">
        {requests
          .filter(({ protocol }) => protocol === 'secrets')
          .map(({ who, to, items, sent, received }, i) => (
            <li key={i}>
              <Bold text={lab.keyRequest(who, to, items, bytes(sent), bytes(received))} />
            </li>
          ))}
      </ul>
      <Scrollable label={lab.keysTable}>
        <table class="hashes">
          <thead>
            <tr>
              <th scope="col">{lab.hexagon}</th>
              <th scope="col">{lab.keyOf.ada}</th>
              <th scope="col">{lab.keyOf.ben}</th>
            </tr>
          </thead>
          <tbody>
            {[...all].sort(byEpoch).map(([name, { layer }]) => (
              <tr key={name} class={hers.has(name) && his.has(name) ? 'met' : ''}>
                <th scope="row">
                  {lab.hexagonFrom(LAYERS[layer]!, time(Number(name.split('/')[0]) * EPOCH_MIN * MINUTE_MS))}
                </th>
                <Hex text={hers.get(name)?.secret} />
                <Hex text={his.get(name)?.secret} />
              </tr>
            ))}
          </tbody>
        </table>
      </Scrollable>
    </section>
  )
}

/** How one cell becomes a key: blinded, evaluated by each of t replicas, combined. */
function Blinding({ evaluation, threshold }: { evaluation: LabEvaluation; threshold: number }) {
  const { cell, blinded, answers, key } = evaluation
  const { blindTitle, blind } = later().lab
  const rows = [
    { name: blind.cell, hex: cell, why: blind.cellWhy },
    { name: blind.blinded, hex: blinded, why: blind.blindedWhy },
    ...answers.map(({ node, element }, i) => ({
      ...{ name: blind.answer(`<b>${node}</b>`), hex: element },
      why: i === 0 ? blind.answerWhy : '',
    })),
    { name: blind.key, hex: key, why: blind.keyWhy(threshold) },
  ]
  return (
    <>
      <h3>{blindTitle}</h3>
      <ol class="blinding">
        {rows.map(({ name, hex, why }) => (
          <li key={name}>
            <p>
              <Bold text={name} />{' '}
              <span class="mono" translate={false}>
                {hex.slice(0, 16)}…
              </span>
            </p>
            {why !== '' && <p class="small">{why}</p>}
          </li>
        ))}
      </ol>
    </>
  )
}

function byEpoch([a, { layer: layerA }]: [string, LabPoint], [b, { layer: layerB }]: [string, LabPoint]): number {
  return Number(a.split('/')[0]) - Number(b.split('/')[0]) || layerA - layerB
}

function Hashes({ run: { ada, ben, equal, salting } }: { run: LabRun }) {
  const { lab } = later()
  const [hers, his] = [new Set(equal.map(([i]) => i)), new Set(equal.map(([, k]) => k))]
  return (
    <section class="card" aria-labelledby="step">
      <h2 id="step">{lab.hashesTitle}</h2>
      <p>{lab.hashes(salting, equal.length)}</p>
      <div class="pair">
        <HashGrid person={ada} met={hers} />
        <HashGrid person={ben} met={his} />
      </div>
    </section>
  )
}

function HashGrid({ person, met }: { person: LabPerson; met: ReadonlySet<number> }) {
  const { lab } = later()
  return (
    <Scrollable label={lab.hashesOf(person.name)}>
      <table class="hashes">
        <caption translate={false}>{person.name}</caption>
        <thead>
          <tr>
            <th scope="col">{lab.layerColumn}</th>
            <th scope="col">{lab.block}</th>
            <th scope="col">{lab.current}</th>
            <th scope="col">{lab.nextColumn}</th>
          </tr>
        </thead>
        <tbody>
          {LAYERS.flatMap((layer, l) =>
            SIZES.map((size, s) => {
              const i = l * 10 + s * 2
              return (
                <tr key={`${layer}${size}`}>
                  <th scope="row">
                    <span class={`swatch layer-${layer}`} aria-hidden="true" /> <span translate={false}>{layer}</span>
                  </th>
                  <td>{format().number(size)}</td>
                  {[i, i + 1].map((k) => (
                    <td key={k} class={met.has(k) ? 'mono met' : 'mono'} translate={false}>
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

function Parties({ run: { rowsAtCentre, requests, salting } }: { run: LabRun }) {
  const { lab } = later()
  const { bytes } = format()
  const seen = new Map<string, number>()
  for (const hash of rowsAtCentre) seen.set(hash, (seen.get(hash) ?? 0) + 1)
  const syncs = requests.filter(({ protocol }) => protocol === 'sync')
  return (
    <section class="card" aria-labelledby="step">
      <h2 id="step">{lab.centreTitle}</h2>
      <ul>
        {toNodes(requests).map(({ node, who, items }) => (
          <li key={node}>
            <Bold text={lab.nodeSaw(salting, node, who, items)} />
          </li>
        ))}
        <li>{lab.networkSaw(requests.length)}</li>
        <li>
          {lab.centre(rowsAtCentre.length, [...seen.values()].filter((n) => n > 1).length, [
            ...new Set(syncs.map(({ sent }) => bytes(sent))),
          ])}
        </li>
      </ul>
      <p class="cloud mono" role="img" aria-label={lab.cloud(rowsAtCentre.length)} translate={false}>
        {[...seen].map(([hash, n]) => (
          <span key={hash} class={n > 1 ? 'met' : ''}>
            {hash.slice(0, 12)}
          </span>
        ))}
      </p>
    </section>
  )
}

/** The nodes that gave secrets, with the people who asked and the number of items. */
function toNodes(requests: readonly LabRequest[]): { node: string; who: string[]; items: number }[] {
  const nodes = new Map<string, { who: Set<string>; items: number }>()
  for (const { who, to, protocol, items } of requests) {
    if (protocol !== 'secrets') continue
    const node = nodes.get(to) ?? { who: new Set(), items: 0 }
    node.who.add(who)
    nodes.set(to, { ...node, items: node.items + items })
  }
  return [...nodes].map(([node, { who, items }]) => ({ node, who: [...who], items }))
}

function Marks({ run: { exposures, ben } }: { run: LabRun }) {
  const { lab } = later()
  const { time } = format()
  const [met] = exposures
  return (
    <section class="card" aria-labelledby="step">
      <h2 id="step">{lab.marksTitle}</h2>
      <p>{lab.marks}</p>
      {met === undefined ? (
        <p class="verdict calm">{lab.noMarks}</p>
      ) : (
        <div class={`card exposure exposure-${met.certainty}`}>
          <h3>
            {time(met.from)} – {time(met.to)}
          </h3>
          <p>
            {words().closeness(met)} {words().degree(met.degree)}
          </p>
          <p class="small">
            {lab.marked(
              met.same,
              met.trail,
              met.lagMin.to,
              words().certainty[met.certainty].word,
              coordinates(ben.fix),
            )}
          </p>
        </div>
      )}
    </section>
  )
}
