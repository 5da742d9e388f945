// aedes on free loopback ports: anonymous or alice/secret, topics under deny/ refused. Prints one JSON line when it listens.
// With a certificate and a key as arguments: also TLS, and WebSocket with and without it.
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import { Aedes } from 'aedes'
import { WebSocketServer, createWebSocketStream } from 'ws'

const broker = await Aedes.createBroker({
  heartbeatInterval: 2000,
  authenticate (client, username, password, done) {
    if (!username || (username === 'alice' && String(password) === 'secret')) return done(null, true)
    const error = new Error('bad login')
    error.returnCode = 4
    done(error, false)
  },
  authorizeSubscribe (client, subscription, done) {
    done(null, subscription.topic.startsWith('deny/') ? null : subscription)
  },
  authorizePublish (client, packet, done) {
    done(packet.topic.startsWith('deny/') ? new Error('denied') : null)
  }
})
const servers = { port: net.createServer(broker.handle) }
const [cert, key] = process.argv.slice(2).map(name => fs.readFileSync(name))
if (cert) {
  servers.tls = tls.createServer({ cert, key }, broker.handle)
  servers.ws = http.createServer()
  servers.wss = https.createServer({ cert, key })
  for (const server of [servers.ws, servers.wss]) {
    new WebSocketServer({ server }).on('connection', (socket, request) => broker.handle(createWebSocketStream(socket), request))
  }
}
const ports = {}
for (const [name, server] of Object.entries(servers)) {
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  ports[name] = server.address().port
}
console.log(JSON.stringify(ports))
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0))
