/**
 * `geotrace salt init` and `central init`: creates the keys once and prints the card with the addresses. node/README.md
 * "From nothing to a member". Without an address the card names loopback addresses, and the output says so.
 */
import { bytesToHex, secretToSigner } from '@geotrace/core-wasm/wire'
import type { MemberCard } from '../../membership/new-manifest.ts'
import { systemRandom } from '../../platform/random.ts'
import { dirOption, invalid } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { hostToAddresses, type Ports } from './addresses.ts'
import { readCard, writeCard } from './card.ts'
import { createIdentity, hasIdentity, type Identity, identityToCard } from './identity.ts'

export interface InitOptions {
  dir: string
  operator?: string
  host?: string
  port: number
  wsPort: number
  httpsPort?: number
  address?: string[]
}

const LOOPBACK = '127.0.0.1'

export function initialise(options: InitOptions, role: 'salt' | 'central', out: Output): void {
  const { dir, host, port, wsPort, httpsPort, address = [] } = options
  if (host !== undefined && address.length > 0) invalid('--host makes both addresses; name either it or --address')
  const isNew = !hasIdentity(dir)
  const identity = createIdentity(dir, systemRandom)
  const before = readCard(dir)
  const ports: Ports = { tcp: port, ws: wsPort, ...(httpsPort !== undefined && { tls: httpsPort }) }
  const wanted = host === undefined ? address : hostToAddresses(host, ports)
  const addresses = wanted.length > 0 ? wanted : (before?.addresses ?? hostToAddresses(LOOPBACK, ports))
  const operator = options.operator ?? before?.operator ?? (role === 'central' ? 'authority' : pseudonym(identity))
  const card = identityToCard(identity, operator, addresses)
  writeCard(dir, card)
  out.line(JSON.stringify(card, null, 2))
  out.note(isNew ? `New keys are in ${dir}.` : `The keys in ${dir} are as they were; this is their card.`)
  for (const line of advice(card, role, dir)) out.note(line)
}

/** A name that says nothing about the operator: the first digits of the operator key. */
function pseudonym({ operatorSecret }: Identity): string {
  if (operatorSecret === undefined) invalid('name yourself with --operator')
  return `volunteer-${bytesToHex(secretToSigner(operatorSecret).key).slice(0, 8)}`
}

function advice({ operator, addresses }: MemberCard, role: 'salt' | 'central', dir: string): string[] {
  const isTrial = addresses.every((address) => address.includes(`/${LOOPBACK}/`))
  const at = dirOption(dir, role)
  return [
    `You appear as "${operator}" to the other operators; --operator NAME changes it before you are a member.`,
    ...(isTrial
      ? [
          `These addresses serve this machine only. For others: geotrace ${role} init${at} --host YOUR-PUBLIC-NAME-OR-ADDRESS`,
        ]
      : ['Let these ports in through router and firewall, and nothing else.']),
    '',
    'Next:',
    `  geotrace salt backup FILE${role === 'central' ? ` --dir ${dir}` : at}   keeps the keys safe: who loses them loses the membership and the vote`,
    '  federation being founded:   send the card above (it holds no secret) to the founder',
    ...(role === 'salt'
      ? [
          '  federation that runs:       geotrace federation join --federation federation.json > join.json, and send that',
        ]
      : []),
    `  then put federation.json into ${dir} and: geotrace ${role} run${at}`,
  ]
}
