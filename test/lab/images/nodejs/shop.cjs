// Services on Node.js, in trouble or not. Each argument is one task: node shop.cjs 'serve 8080' 'price 5'
const http = require('node:http')

const log = (text) => console.log(`${new Date().toISOString()} ${text}`)

const tasks = {
  // PORT: 200 for everything; asks itself every second.
  serve(port) {
    http.createServer((_, answer) => answer.end('ok\n')).listen(Number(port), '0.0.0.0', () => log('INFO listening'))
    const ask = () =>
      http
        .get({ host: '127.0.0.1', port: Number(port), agent: false }, (answer) => {
          answer.resume()
          log(`INFO answered ${answer.statusCode}`)
        })
        .on('error', (error) => log(`ERROR ${error.message}`))
    setInterval(ask, 1000)
  },
  // AFTER: a search of prices that takes very long, begun after so many seconds.
  price(after) {
    setTimeout(() => {
      log('INFO matching prices')
      ;/^(\d+\s?)+$/.test('1234567890 1234567890 1234567890 1234567890 1234567890 x')
      log('INFO prices matched')
    }, Number(after) * 1000)
  },
  // PERCENT: so busy, in short turns.
  busy(percent) {
    setInterval(() => {
      const end = Date.now() + Number(percent) / 4
      while (Date.now() < end);
    }, 25)
  },
}

for (const argument of process.argv.slice(2)) {
  const [task, ...words] = argument.split(' ')
  tasks[task](...words)
}
