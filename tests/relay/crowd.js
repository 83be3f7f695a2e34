// COUNT connections of Node at once to HOST PORT: how many milliseconds they take.
const net = require('net');
const [host, port, count] = [process.argv[1], Number(process.argv[2]), Number(process.argv[3])];
const begin = performance.now();
let connected = 0;
let answered = 0;
for (let number = 0; number < count; number++) {
  const socket = net.connect(port, host, () => {
    if (socket.remoteAddress !== host) throw new Error(`connected to ${socket.remoteAddress}`);
    socket.write('echo\nhi');
    if (++connected === count) console.log(`${count} in ${Math.round(performance.now() - begin)} ms`);
  });
  socket.on('data', () => {
    socket.end();
    answered++;
  });
}
process.on('exit', () => {
  if (answered !== count) process.exitCode = 1;
});
