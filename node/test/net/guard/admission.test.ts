import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { LOOPBACK_CERTIFICATE } from '../../../../scripts/loopback-certificates.js'
import { guardAdmission } from '../../../src/net/guard/admission.ts'
import type { KnownAddress } from '../../../src/net/guard/arrivals.ts'
import { HOST_LIMITS, type HostLimits } from '../../../src/net/limits.ts'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** Guards a server. No socket is admitted before `open`, apart from those of this machine's own address. */
async function guard(server: Server, limits: Partial<HostLimits> = {}) {
  let isOpen = false
  const asked: string[] = []
  let waiting = 0
  const arrivals = {
    admit({ prefix }: KnownAddress) {
      asked.push(prefix)
      return isOpen
    },
  }
  const end = guardAdmission(
    server,
    { ...HOST_LIMITS, ...limits },
    {
      arrivals,
      onWait(more) {
        waiting += more
      },
      now: () => performance.now(),
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    end()
    server.close()
  })
  return {
    asked,
    waiting: () => waiting,
    open: () => void (isOpen = true),
    connect(localAddress = '127.0.0.2') {
      const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', localAddress })
      let text = ''
      let isGone = false
      socket.on('error', () => {})
      socket.on('data', (bytes) => (text += bytes))
      socket.on('close', () => (isGone = true))
      ends.push(() => socket.destroy())
      return { socket, received: () => text, isGone: () => isGone }
    },
  }
}

/** Sends back what it receives. */
const echo = (): Server => createServer((socket: Socket) => void socket.on('data', (bytes) => socket.write(bytes)))

describe('a socket whose requester connects again too soon', () => {
  it('a socket that is not admitted waits, and the server gets all its bytes after admission', async () => {
    const { connect, open, asked, waiting } = await guard(echo())
    const one = connect()
    for (const fragment of ['who ', 'is ', 'there']) {
      one.socket.write(fragment)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await expect.poll(() => asked.length).toBeGreaterThan(1)
    expect(one.received()).toBe('')
    expect(waiting()).toBe(1)
    open()
    await expect.poll(one.received).toBe('who is there')
    expect(waiting()).toBe(0)
    one.socket.write(', please')
    await expect.poll(one.received).toBe('who is there, please')
    expect(asked.every((prefix) => prefix === '4:127.0.0.2')).toBe(true)
  })

  it('an HTTP server answers a socket after its wait', async () => {
    const http = createHttpServer((request, response) => {
      let body = ''
      request.on('data', (bytes) => (body += bytes))
      request.on('end', () => response.end(`${request.url} ${body}`))
    })
    ends.push(() => http.closeAllConnections())
    const { connect, open } = await guard(createServer((socket) => void http.emit('connection', socket)))
    const one = connect()
    one.socket.write('POST /here HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nall ')
    await new Promise((resolve) => setTimeout(resolve, 250))
    open()
    one.socket.write('of it')
    await expect.poll(one.received).toMatch(/\r\n\/here all of it$/)
  })

  it('a TLS server answers a socket after its wait', async () => {
    const https = createHttpsServer(LOOPBACK_CERTIFICATE, (_request, response) => response.end('over TLS'))
    ends.push(() => https.closeAllConnections())
    const { connect, open, asked } = await guard(createServer((socket) => void https.emit('connection', socket)))
    const secure = connectTls({ socket: connect().socket, rejectUnauthorized: false })
    secure.on('error', () => {})
    secure.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    let text = ''
    secure.on('data', (bytes) => (text += bytes))
    await expect.poll(() => asked.length).toBeGreaterThan(1)
    open()
    await expect.poll(() => text).toMatch(/over TLS/)
  })

  it('a waiting socket is closed when it sends more than 4 KiB and when its time is over', async () => {
    const { connect } = await guard(echo(), { silentMs: 300 })
    const loud = connect()
    loud.socket.write('x'.repeat(5_000))
    await expect.poll(loud.isGone).toBe(true)
    const steady = connect()
    const talk = setInterval(() => steady.socket.write('x'), 50)
    ends.push(() => clearInterval(talk))
    await expect.poll(steady.isGone).toBe(true)
  })

  it('a third socket of an address closes its oldest silent one, and a full table closes the oldest of all', async () => {
    const { connect, waiting } = await guard(echo(), { silent: 3, pendingPerPrefix: 2 })
    const talking = connect()
    talking.socket.write('x')
    await expect.poll(waiting).toBe(1)
    // The test waits until the guard has read the byte, because a socket that has spoken stays.
    await new Promise((resolve) => setTimeout(resolve, 100))
    const mute = connect()
    await expect.poll(waiting).toBe(2)
    const third = connect()
    await expect.poll(mute.isGone).toBe(true)
    const others = [connect('127.0.0.3'), connect('127.0.0.4')]
    await expect.poll(talking.isGone).toBe(true)
    expect([third, ...others].some(({ isGone }) => isGone())).toBe(false)
    expect(waiting()).toBe(3)
  })

  it('a third waiting socket shortens the silence of an address from ten seconds to one', async () => {
    const { connect } = await guard(echo())
    const pair = [connect('127.0.0.5'), connect('127.0.0.5')]
    const many = Array.from({ length: 3 }, () => connect())
    await expect.poll(() => many.every(({ isGone }) => isGone())).toBe(true)
    expect(pair.some(({ isGone }) => isGone())).toBe(false)
  })

  it('a socket of this machine is admitted at once', async () => {
    const { connect, asked } = await guard(echo())
    const own = connect('127.0.0.1')
    own.socket.write('me')
    await expect.poll(own.received).toBe('me')
    expect(asked).toEqual([])
  })
})
