/**
 * The eight questions of PRIVACY.md, and the last sync as each party saw it. Below them every byte that left this device, and
 * the next frame that will leave.
 */

import '../styles/privacy.css'
import type { Preview, Tracer } from '@geotrace/client'
import { bytesToHex, type Manifest, peerIdToKey } from '@geotrace/core-wasm/wire'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { type Field, frameToFields, OPENED_SYNC } from '../frame-fields.ts'
import { Scrollable } from '../scrollable.tsx'
import { framesToSeen } from '../seen.ts'
import { diary, sent } from '../session/state.ts'
import { Rich } from '../text/rich.tsx'
import { format, later } from '../text/text.ts'
import type { SentFrame } from '../watched-dialer.ts'

const BYTES_A_ROW = 16
const ROWS_SHOWN = 24

export default function PrivacyView({ tracer, manifest }: { tracer: Tracer; manifest: Manifest }) {
  const frames = sent.value
  const entries = diary.value
  const [next, setNext] = useState<Preview | undefined>(undefined)
  useEffect(() => void tracer.preview().then(setNext), [entries, frames])
  const names = peerNames(manifest)
  const { privacy: text } = later()
  const { bytes } = format()
  const up = frames.reduce((sum, { frame }) => sum + frame.length, 0)
  return (
    <div class="page">
      <h1>{text.title}</h1>
      <p class="lead">{text.lead(frames.length, bytes(up))}</p>
      <section class="card" aria-labelledby="questions">
        <h2 id="questions">{text.questions}</h2>
        <dl class="who">
          {text.answers(manifest.parameters.salting).map(({ question, answer }) => (
            <div key={question}>
              <dt>{question}</dt>
              <dd>{answer}</dd>
            </div>
          ))}
        </dl>
      </section>
      <LastSync frames={frames} manifest={manifest} />
      {next !== undefined && (
        <section class="card" aria-labelledby="next">
          <h2 id="next">{text.next}</h2>
          <p>
            {text.nextIs(
              bytes(next.frame.length),
              next.epochs.reduce((sum, epoch) => sum + epoch.rows, 0),
            )}{' '}
            {next.fixesWaiting > 0 && text.nextWaiting(next.fixesWaiting)}{' '}
            {next.fixesHeld > 0 && text.nextHeld(next.fixesHeld)}
          </p>
          <Frame of={text.next} protocol={OPENED_SYNC} frame={next.frame} manifest={manifest} />
        </section>
      )}
      <section class="card" aria-labelledby="left">
        <h2 id="left">{text.left}</h2>
        {frames.length === 0 && <p>{text.nothing}</p>}
        <ul class="frames">
          {[...frames].reverse().map((item) => (
            <Sent key={item.id} item={item} name={names.get(item.peer) ?? text.unknownPeer} manifest={manifest} />
          ))}
        </ul>
      </section>
    </div>
  )
}

/** The last sync as each party saw it. */
function LastSync({ frames, manifest }: { frames: readonly SentFrame[]; manifest: Manifest }) {
  const { privacy: text } = later()
  const { bytes, number, time } = format()
  const last = frames.filter(({ session }) => session === frames.at(-1)?.session)
  const seen = framesToSeen(last, manifest)
  const toItems = seen.isBlinded ? text.sawEvaluations : text.sawSalts
  return (
    <section class="card" aria-labelledby="seen">
      <h2 id="seen">{text.seen}</h2>
      {last.length === 0 ? (
        <p>{text.seenNothing}</p>
      ) : (
        <dl class="who">
          {seen.nodes > 0 && (
            <div>
              <dt>{text.seenOf.nodes(seen.nodes)}</dt>
              <dd>{toItems(seen.shards.map(number), time(seen.from), time(seen.until), seen.items)}</dd>
            </div>
          )}
          {seen.sealedBytes > 0 && (
            <div>
              <dt>{text.seenOf.relay}</dt>
              <dd>{text.sawSealed(bytes(seen.sealedBytes))}</dd>
            </div>
          )}
          {seen.rosters > 0 && (
            <div>
              <dt>{text.seenOf.member}</dt>
              <dd>{text.sawRoster}</dd>
            </div>
          )}
          <div>
            <dt>{text.seenOf.network}</dt>
            <dd>{text.sawNetwork(seen.messages, bytes(seen.bytes))}</dd>
          </div>
        </dl>
      )}
    </section>
  )
}

function peerNames(manifest: Manifest): Map<string, string> {
  const { saltNode, central } = later().privacy
  const key = (peerId: string) => bytesToHex(peerIdToKey(peerId))
  const members = manifest.members.map(({ peerId, operator }) => [key(peerId), saltNode(operator)] as const)
  return new Map([...members, [key(manifest.central.peerId), central(manifest.central.operator)]])
}

function Sent({ item, name, manifest }: { item: SentFrame; name: string; manifest: Manifest }) {
  const [open, setOpen] = useState(false)
  const { id, at, protocol, frame, replyBytes, failed } = item
  const { privacy: text } = later()
  const { time, bytes, number } = format()
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <span>{time(at)}</span>
          <span class="grow">{name}</span>
          <span class="small mono" translate={false}>
            {protocol.replace('/geotrace', '')}
          </span>
          <span class="number">{bytes(frame.length)}</span>
          <span class="small number">
            {failed ? text.noAnswer : replyBytes === undefined ? '…' : text.answer(bytes(replyBytes))}
          </span>
        </summary>
        {open && <Frame of={`${name}, ${number(id + 1)}`} protocol={protocol} frame={frame} manifest={manifest} />}
      </details>
    </li>
  )
}

interface FrameProps {
  /** Tells the regions of two open messages apart. */
  of: string
  protocol: string
  frame: Uint8Array
  manifest: Manifest
}

function Frame({ of, protocol, frame, manifest }: FrameProps) {
  const [all, setAll] = useState(false)
  const { privacy: text } = later()
  const fields = useMemo(() => frameToFields(protocol, frame, manifest), [protocol, frame, manifest, text])
  const kinds = useMemo(() => fields.flatMap(({ kind, bytes: n }) => Array<Field['kind']>(n).fill(kind)), [fields])
  const rows = Math.ceil(frame.length / BYTES_A_ROW)
  const shown = all ? rows : Math.min(rows, ROWS_SHOWN)
  return (
    <div class="frame">
      <Scrollable label={`${text.fields}: ${of}`} class="fields">
        <table>
          <thead>
            <tr>
              <th scope="col">{text.field}</th>
              <th scope="col" class="number">
                {text.bytes}
              </th>
              <th scope="col">{text.says}</th>
            </tr>
          </thead>
          <tbody>
            {fields.map(({ name, says, bytes: n, kind }, i) => (
              <tr key={`${name}${i}`}>
                <td>
                  <span class={`swatch byte-${kind}`} aria-hidden="true" /> {name}
                </td>
                <td class="number">{n}</td>
                <td>
                  <Rich
                    text={says}
                    parts={{
                      b: (inner) => (
                        <span class="mono" translate={false}>
                          {inner}
                        </span>
                      ),
                    }}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrollable>
      <Scrollable label={`${text.dump}: ${of}`} class="hexdump">
        {Array.from({ length: shown }, (_, row) => (
          <HexRow key={row} from={row * BYTES_A_ROW} frame={frame} kinds={kinds} />
        ))}
      </Scrollable>
      {shown < rows && (
        <button type="button" onClick={() => setAll(true)}>
          {text.all(rows)}
        </button>
      )}
    </div>
  )
}

/** One row of sixteen bytes; consecutive bytes of one field share a span. */
function HexRow({ from, frame, kinds }: { from: number; frame: Uint8Array; kinds: readonly Field['kind'][] }) {
  const runs: { kind: Field['kind']; text: string }[] = []
  for (let i = from; i < Math.min(from + BYTES_A_ROW, frame.length); i++) {
    const text = `${frame[i]!.toString(16).padStart(2, '0')}${i % BYTES_A_ROW === 7 ? '  ' : ' '}`
    const last = runs.at(-1)
    if (last?.kind === kinds[i]) last!.text += text
    else runs.push({ kind: kinds[i]!, text })
  }
  return (
    <div translate={false}>
      <span class="offset">{from.toString(16).padStart(4, '0')}</span>
      {runs.map(({ kind, text }, i) => (
        <span key={i} class={`byte-${kind}`}>
          {text}
        </span>
      ))}
    </div>
  )
}
