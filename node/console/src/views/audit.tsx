/** The newest lines of the audit log, and whether its chain is whole. */
import type { AuditPage } from '../control.ts'
import { Table } from '../pieces.tsx'
import { usePolled } from '../polled.ts'
import { count, minute, plural } from '../words.ts'

export function AuditView() {
  const { value, fault } = usePolled<AuditPage>('/audit')
  if (value === undefined) return <p class="quiet">{fault?.message ?? 'Reading …'}</p>
  const { lines, count: all, head, broken } = value
  return (
    <>
      {broken.length === 0 ? (
        <p class="notice good">The chain of {plural(all, 'line')} is whole.</p>
      ) : (
        <p class="notice alarm">Changed lines: {broken.map(count).join(', ')}. Compare the log with a copy.</p>
      )}
      <p>
        Head, to be noted elsewhere: <code class="long">{head}</code>
      </p>
      <Table name="Actions, the newest first" head={['Time', 'account', 'action', 'details']}>
        {[...lines].reverse().map(({ at, action, details: { by, role, ...details }, hash }) => (
          <tr key={hash}>
            <td>{minute(at)}</td>
            <td>{by === undefined ? 'peer' : `${by}, ${role}`}</td>
            <th scope="row">{action}</th>
            <td>
              {Object.entries(details)
                .map(([name, value]) => `${name} ${value}`)
                .join(', ')}
            </td>
          </tr>
        ))}
      </Table>
    </>
  )
}
