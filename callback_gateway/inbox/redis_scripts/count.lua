-- Answers how many events and dead letters the shard holds.
return answer(call('XLEN', shard .. 'documents') + call('ZCARD', shard .. 'dead'))
