// aedes on a free loopback port: anonymous or alice/secret, topics under deny/ refused. Prints one JSON line when it listens.
import net from 'node:net'
import { Aedes } from 'aedes'

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
const server = net.createServer(broker.handle)
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0))
