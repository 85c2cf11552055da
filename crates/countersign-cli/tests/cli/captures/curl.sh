curl 'https://shop.example/hooks/stripe' \
  -X 'POST' \
  -H 'content-type: application/json' \
  -H 'stripe-signature: t=1570129595,v1=cbfa14b42bd11e569ca49477e31a024d5a51139288d0140248ab33677e8a5ae8' \
  --data-raw '{"zen":1,"note":"café"}' \
  --compressed
