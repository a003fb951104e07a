/** The accounts of the staff: who may do what, and the end of an account. New ones are made on the command line. */
import { type Account, type Me, post } from '../control.ts'
import { Ask, Table } from '../pieces.tsx'
import { usePolled } from '../polled.ts'
import { count, minute } from '../words.ts'

export function StaffView({ me }: { me: Me }) {
  const { value, fault, readAgain } = usePolled<{ accounts: Account[] }>('/accounts')
  if (value === undefined) return <p class="quiet">{fault?.message ?? 'Reading …'}</p>
  const isAdmin = me.role === 'admin'
  return (
    <>
      {value.accounts.length === 0 ? (
        <p>No account yet.</p>
      ) : (
        <Table
          name="Accounts"
          head={['Name', 'role', 'codes a day', 'since', 'second factor', isAdmin ? 'end' : 'revoked']}
        >
          {value.accounts.map(({ name, role, codesPerDay, since, revokedAt, secondFactor, needsFactor }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{role.replace('-', ' ')}</td>
              <td>{codesPerDay === undefined ? 'no limit' : count(codesPerDay)}</td>
              <td>{minute(since)}</td>
              <td>
                {secondFactor ?? (needsFactor ? 'needed' : 'none')}{' '}
                {secondFactor !== undefined && revokedAt === undefined && isAdmin && (
                  <Ask
                    label="Remove"
                    question={`Remove the second factor of ${name}?`}
                    danger
                    act={() => post('/accounts/reset-factor', { name }).then(readAgain)}
                  />
                )}
              </td>
              <td>
                {revokedAt !== undefined && `revoked ${minute(revokedAt)}`}
                {revokedAt === undefined && isAdmin && (
                  <Ask
                    label="Revoke"
                    question={`Revoke the account ${name}?`}
                    danger
                    act={() => post('/accounts/revoke', { name }).then(readAgain)}
                  />
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      <p class="quiet">A new account gets a file with its token, so it is made on the machine of the central peer:</p>
      <pre>geotrace central accounts add anna --role case-worker --quota 50 --out anna.json</pre>
    </>
  )
}
