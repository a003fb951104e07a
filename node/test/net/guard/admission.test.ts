import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { selfSigned } from '../../../bench/certificate.js'
import { guardAdmission } from '../../../src/net/guard/admission.ts'
import { HOST_LIMITS, type HostLimits } from '../../../src/net/limits.ts'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** A door that nobody may pass until it is opened, from an address that is not this machine's own. */
async function door(server: Server, limits: Partial<HostLimits> = {}) {
  let isOpen = false
  const asked: string[] = []
  let waiting = 0
  const arrivals = {
    admit(source: string) {
      asked.push(source)
      return isOpen
    },
    addMember() {},
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
    knock(localAddress = '127.0.0.2') {
      const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', localAddress })
      let text = ''
      let isGone = false
      socket.on('error', () => {})
      socket.on('data', (bytes) => (text += bytes))
      socket.on('close', () => (isGone = true))
      ends.push(() => socket.destroy())
      return { socket, said: () => text, isGone: () => isGone }
    },
  }
}

/** Says what it hears. */
const echo = (): Server => createServer((socket: Socket) => void socket.on('data', (bytes) => socket.write(bytes)))

describe('a socket that comes again too soon', () => {
  it('waits with all that it says, in whatever pieces, and is heard when it may come in', async () => {
    const { knock, open, asked, waiting } = await door(echo())
    const one = knock()
    for (const piece of ['who ', 'is ', 'there']) {
      one.socket.write(piece)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await expect.poll(() => asked.length).toBeGreaterThan(1)
    expect(one.said()).toBe('')
    expect(waiting()).toBe(1)
    open()
    await expect.poll(one.said).toBe('who is there')
    expect(waiting()).toBe(0)
    one.socket.write(', please')
    await expect.poll(one.said).toBe('who is there, please')
    expect(asked.every((source) => source === '4:127.0.0.2')).toBe(true)
  })

  it('is heard by a server of HTTP too', async () => {
    const http = createHttpServer((request, response) => {
      let body = ''
      request.on('data', (bytes) => (body += bytes))
      request.on('end', () => response.end(`${request.url} ${body}`))
    })
    ends.push(() => http.closeAllConnections())
    const { knock, open } = await door(createServer((socket) => void http.emit('connection', socket)))
    const one = knock()
    one.socket.write('POST /here HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nall ')
    await new Promise((resolve) => setTimeout(resolve, 250))
    open()
    one.socket.write('of it')
    await expect.poll(one.said).toMatch(/\r\n\/here all of it$/)
  })

  it('is heard by a server of TLS too', async () => {
    const https = createHttpsServer(selfSigned(), (_request, response) => response.end('over TLS'))
    ends.push(() => https.closeAllConnections())
    const { knock, open, asked } = await door(createServer((socket) => void https.emit('connection', socket)))
    const secure = connectTls({ socket: knock().socket, rejectUnauthorized: false })
    secure.on('error', () => {})
    secure.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    let text = ''
    secure.on('data', (bytes) => (text += bytes))
    await expect.poll(() => asked.length).toBeGreaterThan(1)
    open()
    await expect.poll(() => text).toMatch(/over TLS/)
  })

  it('is closed when it says more than anybody has to, and when it has waited long enough', async () => {
    const { knock } = await door(echo(), { silentMs: 300 })
    const loud = knock()
    loud.socket.write('x'.repeat(5_000))
    await expect.poll(loud.isGone).toBe(true)
    const steady = knock()
    const talk = setInterval(() => steady.socket.write('x'), 50)
    ends.push(() => clearInterval(talk))
    await expect.poll(steady.isGone, { timeout: 5_000 }).toBe(true)
  })

  it('is one of few of its address, and gives its place when too many wait', async () => {
    const { knock, waiting } = await door(echo(), { silent: 3, pendingPerPrefix: 2 })
    const first = [knock(), knock()]
    for (const { socket } of first) socket.write('x')
    await expect.poll(() => first.every(({ socket }) => socket.readyState === 'open')).toBe(true)
    const third = knock()
    await expect.poll(third.isGone).toBe(true)
    const others = [knock('127.0.0.3'), knock('127.0.0.4')]
    await expect.poll(first[0]!.isGone).toBe(true)
    expect([...first.slice(1), ...others].some(({ isGone }) => isGone())).toBe(false)
    expect(waiting()).toBe(3)
  })

  it('passes at once when it is a process of this machine', async () => {
    const { knock, asked } = await door(echo())
    const own = knock('127.0.0.1')
    own.socket.write('me')
    await expect.poll(own.said).toBe('me')
    expect(asked).toEqual([])
  })
})
