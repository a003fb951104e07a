/**
 * Makes the secrets of 600 users where files cannot grow beyond some bytes, which is how a full disk looks. Arguments: `dir`.
 * Prints how many of the acknowledged secrets are in the file, and how many are not.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { equalBytes } from '@geotrace/core-wasm/wire'
import { openUserSecrets, SECRETS } from '../../../../src/central/store/level/user-secrets.ts'
import { systemRandom } from '../../../../src/platform/random.ts'

const dir = process.argv[2]!
const secrets = await openUserSecrets(dir, systemRandom, true)
const made: number[] = []
for (let user = 0; user < 600; user++) {
  await secrets.make(user).then(
    () => made.push(user),
    () => {},
  )
}
const bytes = readFileSync(join(dir, SECRETS))
const isKept = (user: number) => equalBytes(bytes.subarray(16 * user, 16 * user + 16), secrets.of(user)!)
process.stdout.write(
  JSON.stringify({ kept: made.filter(isKept).length, lost: made.filter((user) => !isKept(user)).length }),
)
