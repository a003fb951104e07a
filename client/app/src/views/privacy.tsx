/** Every byte that left this device, the next frame that will leave, and what each peer can learn from them. */

import '../styles/privacy.css'
import type { Preview, Tracer } from '@geotrace/client'
import { bytesToHex, type Manifest, peerIdToKey, SYNC_PROTOCOL } from '@geotrace/core-wasm/wire'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { type Field, frameToFields } from '../frame-fields.ts'
import { Scrollable } from '../scrollable.tsx'
import { diary, sent } from '../session/state.ts'
import type { SentFrame } from '../watched-dialer.ts'
import { bytes, count, time } from '../words.ts'

const BYTES_A_ROW = 16
const ROWS_SHOWN = 24

export function PrivacyView({ tracer, manifest }: { tracer: Tracer; manifest: Manifest }) {
  const frames = sent.value
  const entries = diary.value
  const [next, setNext] = useState<Preview | undefined>(undefined)
  useEffect(() => void tracer.preview().then(setNext), [entries, frames])
  const names = useMemo(() => peerNames(manifest), [manifest])
  const up = frames.reduce((sum, { frame }) => sum + frame.length, 0)
  return (
    <div class="page">
      <h1>Privacy</h1>
      <p class="lead">
        Everything that leaves this device passes through here. Since the app was opened:{' '}
        {count(frames.length, 'message')}, {bytes(up)}.
      </p>
      <section class="card" aria-labelledby="who">
        <h2 id="who">Who can learn what</h2>
        <dl class="who">
          <dt>A volunteer’s salt node</dt>
          <dd>
            Your internet address, and that you were somewhere in one of {manifest.parameters.shards} shares of the
            world in the last three hours. No place.
          </dd>
          <dt>The central peer</dt>
          <dd>
            Your internet address, how many fixes each 80 minutes have, and whose hashes equal yours. No place, unless
            it had also collected the salts of that time.
          </dd>
          <dt>A thief of the central peer’s database</dt>
          <dd>Hashes whose salts are gone.</dd>
          <dt>Somebody on the network</dt>
          <dd>
            That you use Geo Trace, and when. All of it is encrypted, in a few fixed sizes. A report starts a sync at
            once.
          </dd>
          <dt>Somebody with this unlocked device</dt>
          <dd>Your diary of {manifest.parameters.retentionDays} days. It is sealed on the disk, open in this app.</dd>
        </dl>
      </section>
      {next !== undefined && (
        <section class="card" aria-labelledby="next">
          <h2 id="next">What the next sync would deposit</h2>
          <p>
            {bytes(next.frame.length)} for the central peer, of them{' '}
            {count(
              next.epochs.reduce((sum, epoch) => sum + epoch.rows, 0),
              'risk hash',
              'risk hashes',
            )}
            {next.fixesWaiting > 0 && `; ${count(next.fixesWaiting, 'fix', 'fixes')} more will be hashed first`}
            {next.fixesHeld > 0 && `; ${count(next.fixesHeld, 'fix', 'fixes')} held`}.
          </p>
          <Frame protocol={SYNC_PROTOCOL.id} frame={next.frame} manifest={manifest} />
        </section>
      )}
      <section class="card" aria-labelledby="left">
        <h2 id="left">What left since the app was opened</h2>
        {frames.length === 0 && <p>Nothing.</p>}
        <ul class="frames">
          {[...frames].reverse().map((item) => (
            <Sent key={item.id} item={item} name={names.get(item.peer) ?? 'a peer of the roster'} manifest={manifest} />
          ))}
        </ul>
      </section>
    </div>
  )
}

function peerNames(manifest: Manifest): Map<string, string> {
  const key = (peerId: string) => bytesToHex(peerIdToKey(peerId))
  const members = manifest.members.map(({ peerId, operator }) => [key(peerId), `salt node of ${operator}`] as const)
  return new Map([...members, [key(manifest.central.peerId), `central peer of ${manifest.central.operator}`]])
}

function Sent({ item, name, manifest }: { item: SentFrame; name: string; manifest: Manifest }) {
  const [open, setOpen] = useState(false)
  const { at, protocol, frame, replyBytes, failed } = item
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <span>{time(at)}</span>
          <span class="grow">{name}</span>
          <span class="small mono">{protocol.replace('/geotrace', '')}</span>
          <span class="number">{bytes(frame.length)}</span>
          <span class="small number">
            {failed ? 'no answer' : replyBytes === undefined ? '…' : `← ${bytes(replyBytes)}`}
          </span>
        </summary>
        {open && <Frame protocol={protocol} frame={frame} manifest={manifest} />}
      </details>
    </li>
  )
}

function Frame({ protocol, frame, manifest }: { protocol: string; frame: Uint8Array; manifest: Manifest }) {
  const [all, setAll] = useState(false)
  const fields = useMemo(() => frameToFields(protocol, frame, manifest), [protocol, frame, manifest])
  const kinds = useMemo(() => fields.flatMap(({ kind, bytes: n }) => Array<Field['kind']>(n).fill(kind)), [fields])
  const rows = Math.ceil(frame.length / BYTES_A_ROW)
  const shown = all ? rows : Math.min(rows, ROWS_SHOWN)
  return (
    <div class="frame">
      <Scrollable label="The message's fields" class="fields">
        <table>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col" class="number">
                Bytes
              </th>
              <th scope="col">What it says</th>
            </tr>
          </thead>
          <tbody>
            {fields.map(({ name, says, bytes: n, kind }, i) => (
              <tr key={`${name}${i}`}>
                <td>
                  <span class={`swatch byte-${kind}`} aria-hidden="true" /> {name}
                </td>
                <td class="number">{n}</td>
                <td>{says}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrollable>
      <Scrollable label="The message byte by byte" class="hexdump">
        {Array.from({ length: shown }, (_, row) => (
          <HexRow key={row} from={row * BYTES_A_ROW} frame={frame} kinds={kinds} />
        ))}
      </Scrollable>
      {shown < rows && (
        <button type="button" onClick={() => setAll(true)}>
          Show all {rows} lines
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
    <div>
      <span class="offset">{from.toString(16).padStart(4, '0')}</span>
      {runs.map(({ kind, text }, i) => (
        <span key={i} class={`byte-${kind}`}>
          {text}
        </span>
      ))}
    </div>
  )
}
