/// A Deployment as people write them: about 2.4 KB of JSON.
let deployment = """
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
      namespace: shop
      labels:
        app.kubernetes.io/name: web
        app.kubernetes.io/instance: web-production
        app.kubernetes.io/version: "2.14.3"
        app.kubernetes.io/component: frontend
        app.kubernetes.io/part-of: shop
      annotations:
        martlet.dev/bake-time: 30s
        argocd.argoproj.io/sync-wave: "2"
        description: The shop's web frontend, behind the Service of the same name
    spec:
      replicas: 3
      revisionHistoryLimit: 5
      progressDeadlineSeconds: 300
      selector:
        matchLabels:
          app.kubernetes.io/name: web
          app.kubernetes.io/instance: web-production
      strategy:
        type: RollingUpdate
        rollingUpdate:
          maxSurge: 25%
          maxUnavailable: 0
      template:
        metadata:
          labels:
            app.kubernetes.io/name: web
            app.kubernetes.io/instance: web-production
          annotations:
            prometheus.io/scrape: "true"
            prometheus.io/port: "9090"
        spec:
          serviceAccountName: web
          terminationGracePeriodSeconds: 45
          securityContext:
            runAsNonRoot: true
            runAsUser: 10001
            fsGroup: 10001
          initContainers:
          - name: migrate
            image: registry.example.com/shop/web:2.14.3
            command: ["/app/migrate", "--wait"]
            envFrom:
            - secretRef:
                name: web-database
          containers:
          - name: web
            image: registry.example.com/shop/web:2.14.3
            imagePullPolicy: IfNotPresent
            args: ["--listen=:8080", "--metrics=:9090", "--log-format=json"]
            ports:
            - name: http
              containerPort: 8080
              protocol: TCP
            - name: metrics
              containerPort: 9090
              protocol: TCP
            env:
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            - name: DATABASE_URL
              valueFrom:
                secretKeyRef:
                  name: web-database
                  key: url
            - name: CACHE_URL
              value: redis://cache.shop.svc:6379/0
            resources:
              requests:
                cpu: 250m
                memory: 256Mi
              limits:
                memory: 512Mi
            readinessProbe:
              httpGet:
                path: /healthz/ready
                port: http
              periodSeconds: 5
              failureThreshold: 3
            livenessProbe:
              httpGet:
                path: /healthz/live
                port: http
              initialDelaySeconds: 10
              periodSeconds: 10
            lifecycle:
              preStop:
                exec:
                  command: ["/bin/sleep", "5"]
            volumeMounts:
            - name: config
              mountPath: /etc/web
              readOnly: true
            - name: tmp
              mountPath: /tmp
          volumes:
          - name: config
            configMap:
              name: web-config
          - name: tmp
            emptyDir:
              sizeLimit: 128Mi

    """
